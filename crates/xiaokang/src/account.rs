//! `xiaokang account`

use app::accounts::{self, Grant, NewAccount};
use app::reading::place_exists;
use model::{DivisionCode, Lang, Moment};

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
            return Err(Failure::with_hint(
                format!("the pack has no role `{}`", grant.role),
                known.join(", "),
            ));
        };
        let code: DivisionCode = grant.name.parse().map_err(Failure::input)?;
        if !place_exists(&registry, program, code).map_err(Failure::input)? {
            let hint = "the registry's divisions are those of its division list";
            return Err(Failure::with_hint(format!("there is no division `{}`", code.short()), hint));
        }
        grants.push(Grant { role: role.id.clone(), place: code.short() });
    }
    let password = if options.password_stdin { read_password()? } else { new_password() };
    let account = NewAccount { name: &options.name, title: &options.title, password: &password, grants };
    let now = Moment::from_unix_ms(now_ms());
    accounts::save(&mut registry, &account, now, &random()).map_err(Failure::input)?;
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
    std::io::stdin().read_line(&mut line).map_err(Failure::input)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
