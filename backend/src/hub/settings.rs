//! Where the hub and its cache are, by the variables that all Hugging Face programs read.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// Read once; nothing else of the hub's code looks at the environment.
#[derive(Clone, PartialEq, Eq)]
pub struct HubSettings {
    /// `HF_ENDPOINT`: a mirror instead of the public hub.
    pub endpoint: Option<String>,
    /// `HF_HUB_CACHE`, `HUGGINGFACE_HUB_CACHE` or `HF_HOME/hub`.
    pub cache: PathBuf,
    /// `HF_TOKEN`, or the contents of `HF_TOKEN_PATH` or `HF_HOME/token`.
    pub token: Option<String>,
    /// `HF_HUB_OFFLINE`: nothing is asked of the hub.
    pub offline: bool,
}

impl HubSettings {
    pub fn from_env() -> Self {
        Self::from_variables(|name| env::var(name).ok(), env::home_dir().as_deref())
    }

    /// From a lookup of variables, empty ones being as good as none.
    pub fn from_variables(
        lookup: impl Fn(&str) -> Option<String>,
        home_dir: Option<&Path>,
    ) -> Self {
        let get = |name: &str| lookup(name).filter(|value| !value.trim().is_empty());
        let any = |names: &[&str]| names.iter().find_map(|name| get(name));
        let path = |name: &str| get(name).map(PathBuf::from);

        let hf_home = path("HF_HOME").unwrap_or_else(|| {
            let home = home_dir.unwrap_or(Path::new("."));
            path("XDG_CACHE_HOME").unwrap_or_else(|| home.join(".cache")).join("huggingface")
        });
        let cache = any(&["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"]);
        let token_file = path("HF_TOKEN_PATH").unwrap_or_else(|| hf_home.join("token"));
        let token = any(&["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"])
            .or_else(|| fs::read_to_string(token_file).ok())
            .map(|token| token.trim().to_owned());
        let offline = get("HF_HUB_OFFLINE").map(|value| value.trim().to_ascii_uppercase());
        Self {
            endpoint: get("HF_ENDPOINT").map(|it| it.trim().trim_end_matches('/').to_owned()),
            cache: cache.map_or_else(|| hf_home.join("hub"), PathBuf::from),
            token: token.filter(|token| !token.is_empty()),
            offline: offline.is_some_and(|it| ["1", "ON", "YES", "TRUE"].contains(&it.as_str())),
        }
    }
}

impl std::fmt::Debug for HubSettings {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HubSettings")
            .field("endpoint", &self.endpoint)
            .field("cache", &self.cache)
            .field("token", &self.token.as_ref().map(|_| "…"))
            .field("offline", &self.offline)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_variable_decides_where_the_cache_is() {
        let cache = |variables: &[(&str, &str)]| settings(variables).cache;

        assert_eq!(cache(&[]), Path::new("/home/me/.cache/huggingface/hub"));
        assert_eq!(cache(&[("XDG_CACHE_HOME", "/x")]), Path::new("/x/huggingface/hub"));
        assert_eq!(cache(&[("XDG_CACHE_HOME", "/x"), ("HF_HOME", "/h")]), Path::new("/h/hub"));
        assert_eq!(cache(&[("HF_HOME", "/h"), ("HUGGINGFACE_HUB_CACHE", "/o")]), Path::new("/o"));
        assert_eq!(
            cache(&[("HUGGINGFACE_HUB_CACHE", "/o"), ("HF_HUB_CACHE", "/c")]),
            Path::new("/c")
        );
        assert_eq!(cache(&[("HF_HOME", "")]), Path::new("/home/me/.cache/huggingface/hub"));
    }

    #[test]
    fn a_token_comes_from_the_variable_or_a_file_and_is_not_shown() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().to_str().unwrap();
        fs::write(dir.path().join("token"), "from-home\n").unwrap();
        let other = dir.path().join("other");
        fs::write(&other, "from-path").unwrap();
        let other = other.to_str().unwrap();

        let token = |variables: &[(&str, &str)]| settings(variables).token;
        assert_eq!(token(&[]), None);
        assert_eq!(token(&[("HF_HOME", home)]).as_deref(), Some("from-home"));
        let path = ("HF_TOKEN_PATH", other);
        assert_eq!(token(&[("HF_HOME", home), path]).as_deref(), Some("from-path"));
        assert_eq!(token(&[("HF_TOKEN", "mine"), path]).as_deref(), Some("mine"));
        assert!(!format!("{:?}", settings(&[("HF_TOKEN", "mine")])).contains("mine"));
    }

    #[test]
    fn offline_is_a_yes_in_any_spelling() {
        for (value, offline) in
            [("1", true), ("true", true), ("Yes", true), ("0", false), ("", false)]
        {
            assert_eq!(settings(&[("HF_HUB_OFFLINE", value)]).offline, offline, "{value}");
        }
    }

    #[test]
    fn an_endpoint_ends_without_a_slash() {
        let endpoint = settings(&[("HF_ENDPOINT", "http://mirror/ ")]).endpoint;

        assert_eq!(endpoint.as_deref(), Some("http://mirror"));
    }

    fn settings(variables: &[(&str, &str)]) -> HubSettings {
        let lookup =
            |name: &str| variables.iter().find(|it| it.0 == name).map(|it| it.1.to_owned());
        HubSettings::from_variables(lookup, Some(Path::new("/home/me")))
    }
}
