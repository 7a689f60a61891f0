//! `xiaokang account`

use std::path::Path;

use app::accounts::{self, Grant, NewAccount};
use app::reading::place_exists;
use model::{DivisionCode, Lang, Moment, Text, text};

use crate::acting::{Office, random};
use crate::arguments::AccountOptions;
use crate::console::{CommandResult, Failure, Outcome, now_ms, say};

pub fn run(options: &AccountOptions, lang: Lang) -> CommandResult {
    let Office { pack, mut registry } = Office::open(&options.site)?;
    let program = &pack.program;
    let mut grants = Vec::new();
    for grant in &options.grants {
        let Some(role) = program.roles.iter().find(|role| role.id == grant.role) else {
            let known: Vec<&str> = program.roles.iter().map(|role| role.id.as_str()).collect();
            let (role, known) = (&grant.role, known.join(", "));
            return Err(Failure::with_hint(
                text!("政策包没有角色 `{role}`", "the pack has no role `{role}`"),
                text!("有 `{known}`", "it has {known}"),
            ));
        };
        let place = &grant.name;
        let code: DivisionCode = place.parse().map_err(|_| {
            Failure::with_hint(
                text!("`{place}` 不是区划代码", "`{place}` is no division code"),
                Text::new(
                    "区划代码是 2、4、6、9 或 12 位数字",
                    "a division code has 2, 4, 6, 9 or 12 digits",
                ),
            )
        })?;
        if !place_exists(&registry, program, code)? {
            let place = code.short();
            return Err(Failure::with_hint(
                text!("没有区划 `{place}`", "there is no division `{place}`"),
                Text::new("请对照登记库的区划表", "the registry's divisions are those of its division list"),
            ));
        }
        grants.push(Grant { role: role.id.clone(), place: code.short() });
    }
    let password = if options.password_stdin { read_password()? } else { new_password() };
    let account = NewAccount { name: &options.name, title: &options.title, password: &password, grants };
    let now = Moment::from_unix_ms(now_ms());
    accounts::save(&mut registry, &account, now, &random())?;
    match (options.password_stdin, lang) {
        (true, Lang::Zh) => say!("{} 可以登录了", options.name),
        (true, Lang::En) => say!("{} can sign in", options.name),
        (false, Lang::Zh) => say!("{} 的密码（只显示这一次）：{password}", options.name),
        (false, Lang::En) => say!("password of {} (shown this once): {password}", options.name),
    }
    Ok(Outcome::Done)
}

/// Twenty hexadecimal digits: eighty bits.
pub fn new_password() -> String {
    random().iter().take(10).map(|byte| format!("{byte:02x}")).collect()
}

fn read_password() -> Result<String, Failure> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(|error| Failure::file(Path::new("-"), &error))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
