//! `target_modules` of an adapter's configuration: which modules have an update, by PEFT's rules.

use regex::Regex;

use super::Target;

/// How a configuration names the modules.
#[derive(Clone, Debug)]
pub enum TargetModules {
    /// A module has an update if its name is one of these, or ends in a dot and one of these.
    Names(Vec<String>),
    /// A module has an update if the regular expression `text` matches its whole name.
    Pattern { text: String, whole: Regex },
    /// Every linear layer of a block.
    AllLinear,
}

impl TargetModules {
    /// What a single text stands for: the name of a linear layer, "all-linear", or a regular expression.
    pub fn from_text(text: &str) -> Result<Self, regex::Error> {
        match text {
            "all-linear" => Ok(Self::AllLinear),
            name if Target::ALL.iter().any(|it| it.name() == name) => {
                Ok(Self::Names(vec![name.to_owned()]))
            }
            // Python's fullmatch tries every alternative before it gives up; a leftmost match need not be whole.
            pattern => Ok(Self::Pattern {
                text: pattern.to_owned(),
                whole: Regex::new(&format!("^(?:{pattern})$"))?,
            }),
        }
    }

    /// Whether the module of this published name has an update.
    pub fn matches(&self, module: &str) -> bool {
        match self {
            Self::AllLinear => true,
            Self::Names(names) => names.iter().any(|name| {
                name == "all-linear"
                    || module.strip_suffix(name.as_str()).is_some_and(|rest| {
                        rest.is_empty() || (rest.ends_with('.') && !name.is_empty())
                    })
            }),
            Self::Pattern { whole, .. } => whole.is_match(module),
        }
    }
}

impl std::fmt::Display for TargetModules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Names(names) => f.write_str(&names.join(", ")),
            Self::Pattern { text, .. } => write!(f, "the pattern {text}"),
            Self::AllLinear => f.write_str("all-linear"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_whole_parts_of_a_modules_name() {
        let dense = "transformer.layers.1.attention.dense";
        for (name, matches) in [
            ("dense", true),
            ("attention.dense", true),
            (dense, true),
            ("ense", false),
            ("mlp.dense", false),
            ("query_key_value", false),
            ("", false),
        ] {
            assert_eq!(
                TargetModules::Names(vec![name.to_owned()]).matches(dense),
                matches,
                "{name}"
            );
        }
    }

    #[test]
    fn a_text_is_a_name_or_a_pattern_for_the_whole_name() {
        let module = "transformer.layers.1.attention.dense";
        for (text, matches) in [
            ("dense", true),
            ("all-linear", true),
            (r".*\.layers\.[01]\.attention\..*", true),
            (r".*\.layers\.[23]\.attention\..*", false),
            (".*dens", false),
            (".*dens|.*dense", true),
        ] {
            assert_eq!(TargetModules::from_text(text).unwrap().matches(module), matches, "{text}");
        }
    }
}
