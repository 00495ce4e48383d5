/* Loads CUDA's libraries when the first of their functions is called, so that a program starts where there are none.
 *
 * `cuInit`, which comes before all else, fails where a library is missing, and `cuGetErrorString` then says which one
 * and what to do. Nothing crashes: a function that a library lacks returns an error of that library.
 *
 * FOLDERS, from the compiler's command line, are the string literals of where libraries lie besides. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HIDDEN __attribute__((visibility("hidden")))

enum { CUDA_SUCCESS = 0, SYMBOL_NOT_FOUND = 302, LIBRARY_NOT_LOADED = 303 };

struct library {
    const char *name;
    /* What to do where it is missing; NULL: the program can do without. */
    const char *advice;
    void *handle;
};

/* What a stub in trampolines.S reads: keep both in step. */
struct function {
    const void *target;
    const char *name;
    struct library *library;
    const void *failure;
};

#define INSTALL "install the libraries of CUDA 13, or name their folder in LD_LIBRARY_PATH"

HIDDEN struct library weft_cuda_driver = {"libcuda.so.1", "no NVIDIA driver is installed", NULL};
HIDDEN struct library weft_cuda_cublaslt = {"libcublasLt.so.13", INSTALL, NULL};
HIDDEN struct library weft_cuda_cublas = {"libcublas.so.13", INSTALL, NULL};
HIDDEN struct library weft_cuda_curand = {"libcurand.so.10", INSTALL, NULL};
HIDDEN struct library weft_cuda_nvrtc = {"libnvrtc.so.13", NULL, NULL};

/* cublasLt before cublas, which needs it and may not find it by itself. */
static struct library *const libraries[] = {
    &weft_cuda_driver, &weft_cuda_cublaslt, &weft_cuda_cublas, &weft_cuda_curand, &weft_cuda_nvrtc,
};

/* Where libraries lie that the system's loader does not know: below a root that the environment names, or in a folder. */
static const char *const roots[] = {"CUDA_HOME", "CUDA_PATH"};
static const char *const below_root[] = {"lib64", "lib"};
static const char *const folders[] = {FOLDERS};

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

/* Why CUDA cannot be used; empty: it can. */
static char problem[1024];

/* A library that is there; where it is broken, `error` says how. */
static void *open_in(const char *folder, const char *below, const char *name, char *error, size_t size)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s/%s", folder, below, name);
    if (access(path, R_OK) != 0)
        return NULL;
    void *handle = dlopen(path, RTLD_LAZY);
    if (!handle)
        snprintf(error, size, "%s", dlerror());
    return handle;
}

static void *open_library(const char *name, char *error, size_t size)
{
    void *handle = dlopen(name, RTLD_LAZY);
    if (handle)
        return handle;
    snprintf(error, size, "%s", dlerror());
    for (size_t root = 0; root < LENGTH(roots); root++) {
        const char *folder = getenv(roots[root]);
        for (size_t at = 0; folder && *folder && at < LENGTH(below_root); at++)
            if ((handle = open_in(folder, below_root[at], name, error, size)))
                return handle;
    }
    for (size_t at = 0; at < LENGTH(folders); at++)
        if ((handle = open_in(folders[at], ".", name, error, size)))
            return handle;
    return NULL;
}

/* Loads them all; the first that is missing is the problem. */
static void load(void)
{
    for (size_t at = 0; at < LENGTH(libraries) && !*problem; at++) {
        struct library *library = libraries[at];
        char error[512] = "";
        library->handle = open_library(library->name, error, sizeof error);
        if (library->handle || !library->advice)
            continue;
        /* "NAME: cannot open shared object file": not there at all. */
        if (strncmp(error, library->name, strlen(library->name)) == 0 && strstr(error, "No such file"))
            snprintf(problem, sizeof problem, "%s not found: %s", library->name, library->advice);
        else
            snprintf(problem, sizeof problem, "%s cannot be loaded: %s", library->name, error);
    }
}

static void load_once(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
}

static void *find(struct library *library, const char *name)
{
    load_once();
    return library->handle ? dlsym(library->handle, name) : NULL;
}

/* The target of a function from now on. */
HIDDEN const void *weft_cuda_resolve(struct function *function)
{
    const void *target = find(function->library, function->name);
    if (!target)
        target = function->failure;
    __atomic_store_n(&function->target, target, __ATOMIC_RELEASE);
    return target;
}

int cuInit(unsigned flags)
{
    int (*target)(unsigned) = (int (*)(unsigned))find(&weft_cuda_driver, "cuInit");
    if (*problem || !target)
        return LIBRARY_NOT_LOADED;
    return target(flags);
}

int cuGetErrorString(int status, const char **text)
{
    int (*target)(int, const char **) =
        (int (*)(int, const char **))find(&weft_cuda_driver, "cuGetErrorString");
    if (!*problem && target)
        return target(status, text);
    *text = *problem ? problem : "libcuda.so.1 is no driver of NVIDIA";
    return CUDA_SUCCESS;
}

/* What functions return that are not there: a status of their library, a text, or nothing. */
HIDDEN int weft_cuda_driver_failure(void) { return SYMBOL_NOT_FOUND; }
HIDDEN int weft_cuda_cublas_failure(void) { return 15; /* CUBLAS_STATUS_NOT_SUPPORTED */ }
HIDDEN int weft_cuda_cublaslt_failure(void) { return 15; }
HIDDEN int weft_cuda_curand_failure(void) { return 203; /* CURAND_STATUS_INITIALIZATION_FAILED */ }
HIDDEN int weft_cuda_nvrtc_failure(void) { return 11; /* NVRTC_ERROR_INTERNAL_ERROR */ }
HIDDEN const char *weft_cuda_text_failure(void) { return "a function that this version of CUDA lacks"; }
HIDDEN size_t weft_cuda_value_failure(void) { return 0; }
