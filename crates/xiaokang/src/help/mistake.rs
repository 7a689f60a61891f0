//! What is wrong with the arguments, as a problem in both languages.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error};
use model::{Problem, ProblemKind, Text, text};

use crate::arguments::Form;
use crate::console::Failure;

/// The mistake, with what would be right.
pub fn failure(error: &Error, command: &Command) -> Failure {
    let about = |kind| error.get(kind).map(words).unwrap_or_default();
    let argument = about(ContextKind::InvalidArg);
    let value = about(ContextKind::InvalidValue);
    let text = match error.kind() {
        ErrorKind::UnknownArgument => text!("没有参数 `{argument}`", "there is no argument `{argument}`"),
        ErrorKind::InvalidSubcommand => {
            let name = about(ContextKind::InvalidSubcommand);
            text!("没有命令 `{name}`", "there is no command `{name}`")
        }
        ErrorKind::MissingRequiredArgument => text!("缺少参数 `{argument}`", "`{argument}` is missing"),
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            Text::new("没有说要做什么", "no command was given")
        }
        ErrorKind::InvalidValue if value.is_empty() => {
            text!("参数 `{argument}` 缺少值", "`{argument}` needs a value")
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            text!("参数 `{argument}` 不能是 `{value}`", "`{argument}` cannot be `{value}`")
        }
        ErrorKind::ArgumentConflict => {
            let other = about(ContextKind::PriorArg);
            if other.is_empty() || other == argument {
                text!("参数 `{argument}` 给了两次", "`{argument}` is given twice")
            } else {
                text!(
                    "参数 `{argument}` 与 `{other}` 不能同用",
                    "`{argument}` and `{other}` exclude each other"
                )
            }
        }
        ErrorKind::TooManyValues => {
            text!("多了 `{value}`（`{argument}`）", "`{value}` is too much for `{argument}`")
        }
        ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            text!("参数 `{argument}` 的值个数不对", "`{argument}` has a wrong number of values")
        }
        ErrorKind::InvalidUtf8 => Text::new("参数中有无法识别的字符", "an argument is not UTF-8"),
        other => text!("参数不对（`{other}`）", "the arguments are wrong: {other}"),
    };
    let problem = Problem::new(ProblemKind::Input, "usage", text);
    Failure::Problem(Box::new(problem.hint(hint(error, command))))
}

/// What would be right: values that there are, the name that was meant, how the value is written, or where to read on.
fn hint(error: &Error, command: &Command) -> Text {
    let about = |kind| error.get(kind).map(words).filter(|words| !words.is_empty());
    if let Some(values) = about(ContextKind::ValidValue) {
        return text!("可取 `{values}`", "it can be {values}");
    }
    let meant = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue];
    if let Some(meant) = meant.into_iter().find_map(about) {
        return text!("是不是 `{meant}`？", "did you mean `{meant}`?");
    }
    if error.kind() == ErrorKind::ValueValidation
        && let Some(reason) = std::error::Error::source(error)
    {
        return written(reason);
    }
    let name = command.get_bin_name().unwrap_or(command.get_name());
    text!("`{name} --help` 列出命令和参数", "`{name} --help` lists commands and arguments")
}

/// How a value is written that could not be read.
fn written(reason: &(dyn std::error::Error + 'static)) -> Text {
    if let Some(Form(text)) = reason.downcast_ref() {
        text.clone()
    } else if reason.is::<model::DateError>() {
        Text::new("日期请写成 2015-06-30", "write a date as 2015-06-30")
    } else if reason.is::<model::NumberError>() {
        Text::new("请写元，最多两位小数，如 1234.56", "write yuan with at most two decimals, like 1234.56")
    } else if reason.is::<model::DivisionCodeError>() {
        Text::new("区划代码是 2、4、6、9 或 12 位数字", "a division code has 2, 4, 6, 9 or 12 digits")
    } else if reason.is::<model::UnknownLang>() {
        Text::new("可取 zh、en", "it can be zh or en")
    } else if reason.is::<model::IdError>() {
        Text::new("编号不能为空，最多 64 个字符", "a key has 1 to 64 characters")
    } else if reason.is::<std::num::ParseIntError>() {
        Text::new("请写整数", "write a whole number")
    } else if reason.is::<std::net::AddrParseError>() {
        Text::new("地址请写成 127.0.0.1:8080", "write an address as 127.0.0.1:8080")
    } else {
        text!("写法：`{reason}`", "{reason}")
    }
}

fn words(value: &ContextValue) -> String {
    match value {
        ContextValue::String(text) => text.clone(),
        ContextValue::Strings(texts) => texts.join(", "),
        ContextValue::StyledStr(text) => text.to_string(),
        ContextValue::StyledStrs(texts) => {
            texts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        }
        ContextValue::Number(number) => number.to_string(),
        ContextValue::Bool(value) => value.to_string(),
        _ => String::new(),
    }
}
