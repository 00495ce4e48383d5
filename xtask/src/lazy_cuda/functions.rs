//! The functions that a `sys` module of cudarc declares.

use std::collections::BTreeMap;

/// A function of one of CUDA's libraries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Function<'a> {
    pub(super) name: &'a str,
    pub(super) returns: Returns,
}

/// What a function returns, as far as a caller has to be told that it is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Returns {
    /// A number of the library's own enum.
    Status,
    /// A C string.
    Text,
    /// A number that is no status, or nothing.
    Value,
}

impl Returns {
    fn read(written: Option<&str>) -> Self {
        match written {
            Some(written) if written.starts_with('*') => Self::Text,
            None | Some("usize") => Self::Value,
            Some(_) => Self::Status,
        }
    }

    /// The first half of the name of the function in `loader.c` that stands in.
    pub(super) fn failure(self, module: &str) -> &str {
        match self {
            Self::Status => module,
            Self::Text => "text",
            Self::Value => "value",
        }
    }
}

/// By name, each once: some are declared twice, for different versions of CUDA.
pub(super) fn functions(source: &str) -> Vec<Function<'_>> {
    let declared = source.lines().filter_map(|line| function(line.trim()));
    let by_name: BTreeMap<&str, Function> = declared.map(|it| (it.name, it)).collect();
    by_name.into_values().collect()
}

/// Declared on one line, `fn NAME(…) -> TYPE;`, unlike functions of Rust, which are public and have a body.
fn function(line: &str) -> Option<Function<'_>> {
    let (name, rest) = line.strip_prefix("fn ")?.split_once('(')?;
    // Of arguments that are functions themselves the parentheses are not the last ones.
    let (_, end) = rest.strip_suffix(';')?.rsplit_once(')')?;
    (name.starts_with("cu") || name.starts_with("nv"))
        .then(|| Function { name, returns: Returns::read(end.trim().strip_prefix("-> ")) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As cudarc writes it, but for the word that each of its functions has and no code here may.
    const SOURCE: &str = r#"
pub fn cublasGetStatusString(status: cublasStatus_t) -> *const ::core::ffi::c_char {
    #[cfg(feature = "dynamic-loading")]
    {
        type _F = extern "C" fn(cublasStatus_t) -> *const ::core::ffi::c_char;
        let _f = _S.get_or_init(|| load::<_F>("cublasGetStatusString"));
    }
    #[cfg(not(feature = "dynamic-loading"))]
    {
        extern "C" {
            fn cublasGetStatusString(status: cublasStatus_t) -> *const ::core::ffi::c_char;
        }
        extern "C" {
            fn cublasGetCudartVersion() -> usize;
            fn cublasDestroy_v2(handle: cublasHandle_t) -> cublasStatus_t;
            fn cublasDestroy_v2(handle: *mut cublasContext) -> cublasStatus_t;
            fn cublasXerbla(srName: *const ::core::ffi::c_char, info: ::core::ffi::c_int);
        }
        cublasGetStatusString(status)
    }
}
fn load<F>(name: &str) -> F {
"#;

    #[test]
    fn each_declaration_gives_its_function_once() {
        let function = |name, returns| Function { name, returns };

        assert_eq!(
            functions(SOURCE),
            [
                function("cublasDestroy_v2", Returns::Status),
                function("cublasGetCudartVersion", Returns::Value),
                function("cublasGetStatusString", Returns::Text),
                function("cublasXerbla", Returns::Value),
            ]
        );
    }
}
