//! Options from a TOML file, the environment and the command line; the later one wins.
//!
//! Every option `--learning-rate` of every command can also be set as `WEFT_LEARNING_RATE`, or in a file:
//!
//! ```toml
//! model = "chatglm-6b"      # for every command that has --model
//!
//! [train]
//! learning-rate = 1e-4
//! target-modules = ["query_key_value", "dense"]
//! ```

use std::{ffi::OsString, fs, path::PathBuf};

use clap::{Arg, ArgMatches, Command};
use toml::{Table, Value};

/// Read where it stands in the working folder, unless `--config` or `WEFT_CONFIG` names another.
const DEFAULT_FILE: &str = "weft.toml";

/// Why a settings file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    #[error("cannot read the settings file {path}")]
    Unreadable {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the settings file {path} is not TOML: {reason}")]
    NotToml { path: PathBuf, reason: String },
    #[error("{path}: no command has the option {option}")]
    UnknownOption { path: PathBuf, option: String },
    #[error("{path}: `{command}` has no option {option}; it has {known}")]
    UnknownCommandOption { path: PathBuf, command: String, option: String, known: String },
    #[error(
        "{path}: {option} must be a text, a number, true or false, or a list of these, found {found}"
    )]
    WrongType { path: PathBuf, option: String, found: &'static str },
}

/// Parses the command line `args`, with defaults from the settings file and the environment.
///
/// A wrong command line prints its usage and ends the program, as clap does.
pub(crate) fn matches(command: Command, args: Vec<OsString>) -> Result<ArgMatches, SettingsError> {
    let command = match settings_file(&args)? {
        Some((path, table)) => with_file(with_environment(command), &path, table)?,
        None => with_environment(command),
    };
    Ok(command.get_matches_from(args))
}

/// The file's place and content, if there is one.
fn settings_file(args: &[OsString]) -> Result<Option<(PathBuf, Table)>, SettingsError> {
    let named = named_file(args).or_else(|| std::env::var_os("WEFT_CONFIG").map(PathBuf::from));
    let path = named.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_FILE));
    if named.is_none() && !path.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path)
        .map_err(|source| SettingsError::Unreadable { path: path.clone(), source })?;
    let table = text.parse().map_err(|error: toml::de::Error| SettingsError::NotToml {
        path: path.clone(),
        reason: error.to_string(),
    })?;
    Ok(Some((path, table)))
}

/// What follows `--config`: needed before the command line can be parsed.
fn named_file(args: &[OsString]) -> Option<PathBuf> {
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if arg == "--config" {
            return args.next().map(PathBuf::from);
        }
        if let Some(path) = arg.to_str().and_then(|arg| arg.strip_prefix("--config=")) {
            return Some(path.into());
        }
    }
    None
}

/// Lets each option of each command be set by a variable of its name.
fn with_environment(command: Command) -> Command {
    let command = command.mut_args(|arg| match arg.get_long() {
        Some(long) if long != "help" && long != "version" => {
            let variable = format!("WEFT_{}", long.replace('-', "_").to_uppercase());
            arg.env(variable).hide_env_values(true)
        }
        _ => arg,
    });
    let names: Vec<String> = command.get_subcommands().map(|it| it.get_name().to_owned()).collect();
    names.iter().fold(command, |command, name| command.mut_subcommand(name, with_environment))
}

/// Makes the file's values the options' defaults.
fn with_file(mut command: Command, path: &PathBuf, table: Table) -> Result<Command, SettingsError> {
    for (key, value) in table {
        if let Value::Table(options) = value {
            command = with_command_table(command, path, &key, options)?;
        } else {
            let (changed, found) = with_option_everywhere(command, path, &key, &value)?;
            if !found {
                return Err(SettingsError::UnknownOption { path: path.clone(), option: key });
            }
            command = changed;
        }
    }
    Ok(command)
}

fn with_command_table(
    command: Command,
    path: &PathBuf,
    name: &str,
    options: Table,
) -> Result<Command, SettingsError> {
    if command.find_subcommand(name).is_none() {
        return Err(SettingsError::UnknownOption {
            path: path.clone(),
            option: format!("[{name}]"),
        });
    }
    let mut failed = None;
    let command = command.mut_subcommand(name, |mut sub| {
        for (key, value) in options {
            match with_option_everywhere(sub.clone(), path, &key, &value) {
                Ok((changed, true)) => sub = changed,
                Ok((_, false)) => {
                    let known = option_names(&sub).join(", ");
                    failed.get_or_insert(SettingsError::UnknownCommandOption {
                        path: path.clone(),
                        command: name.to_owned(),
                        option: key,
                        known,
                    });
                }
                Err(error) => {
                    failed.get_or_insert(error);
                }
            }
        }
        sub
    });
    failed.map_or(Ok(command), Err)
}

/// Sets the default of the option `key` in `command` and below; says whether any has it.
fn with_option_everywhere(
    mut command: Command,
    path: &PathBuf,
    key: &str,
    value: &Value,
) -> Result<(Command, bool), SettingsError> {
    let long = key.replace('_', "-");
    let defaults = texts(path, key, value)?;
    let has = |command: &Command| command.get_arguments().any(|arg| arg.get_long() == Some(&long));
    let mut found = has(&command);
    if found {
        command = command.mut_args(|arg| {
            if arg.get_long() == Some(&long) { with_default(arg, &defaults) } else { arg }
        });
    }
    let names: Vec<String> = command.get_subcommands().map(|it| it.get_name().to_owned()).collect();
    for name in names {
        let mut result = Ok(false);
        command = command.mut_subcommand(&name, |sub| {
            match with_option_everywhere(sub.clone(), path, key, value) {
                Ok((changed, found)) => {
                    result = Ok(found);
                    changed
                }
                Err(error) => {
                    result = Err(error);
                    sub
                }
            }
        });
        found |= result?;
    }
    Ok((command, found))
}

fn with_default(arg: Arg, values: &[String]) -> Arg {
    arg.required(false).default_values(values.to_vec())
}

fn option_names(command: &Command) -> Vec<String> {
    command.get_arguments().filter_map(|arg| arg.get_long().map(str::to_owned)).collect()
}

/// A TOML value as the command line would spell it.
fn texts(path: &PathBuf, option: &str, value: &Value) -> Result<Vec<String>, SettingsError> {
    match value {
        Value::String(text) => Ok(vec![text.clone()]),
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) => Ok(vec![value.to_string()]),
        Value::Array(values) => {
            let nested: Result<Vec<_>, _> =
                values.iter().map(|value| texts(path, option, value)).collect();
            Ok(nested?.concat())
        }
        Value::Datetime(_) | Value::Table(_) => Err(SettingsError::WrongType {
            path: path.clone(),
            option: option.to_owned(),
            found: value.type_str(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Example {
        #[command(subcommand)]
        command: Sub,
    }

    #[derive(Debug, clap::Subcommand)]
    enum Sub {
        Train {
            #[arg(long)]
            model: String,
            #[arg(long, default_value_t = 1.0)]
            settings_test_rate: f64,
            #[arg(long, value_delimiter = ',')]
            target_modules: Vec<String>,
            #[arg(long)]
            resume: bool,
        },
    }

    #[test]
    fn the_command_line_wins_over_the_file() {
        let file = "model = 'from file'\n[train]\nsettings-test-rate = 2.5\nresume = true";

        assert_eq!(train(file, &[]), ("from file".to_owned(), 2.5, vec![], true));
        assert_eq!(train(file, &["--model", "typed"]).0, "typed");
    }

    #[test]
    fn a_list_and_underscores_are_understood() {
        let file = "model = 'm'\n[train]\ntarget_modules = ['dense', 'query_key_value']";

        assert_eq!(train(file, &[]).2, ["dense", "query_key_value"]);
    }

    #[test]
    fn an_unknown_option_is_named() {
        for (file, named) in [
            ("learning = 1", "learning"),
            ("[train]\nlearning = 1", "learning"),
            ("[trian]\nmodel = 'm'", "[trian]"),
            ("[train]\nmodel = 1979-05-27", "datetime"),
        ] {
            let table = file.parse().unwrap();
            let error = with_file(command(), &"weft.toml".into(), table).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }

    fn command() -> Command {
        <Example as clap::CommandFactory>::command()
    }

    fn train(file: &str, args: &[&str]) -> (String, f64, Vec<String>, bool) {
        let command = with_environment(command());
        let command = with_file(command, &"weft.toml".into(), file.parse().unwrap()).unwrap();
        let matches = command.get_matches_from([&["weft", "train"], args].concat());
        let parsed = <Example as clap::FromArgMatches>::from_arg_matches(&matches).unwrap();
        let Sub::Train { model, settings_test_rate, target_modules, resume } = parsed.command;
        (model, settings_test_rate, target_modules, resume)
    }
}
