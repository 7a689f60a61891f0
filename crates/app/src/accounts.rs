//! Accounts: who may sign in, signing in and out, and whose session a token is.
//!
//! A password is kept as its Argon2id hash, a session as the hash of its token. After a few wrong passwords an account
//! waits, each time longer; a name that no account has takes as long to refuse as a wrong password.
//!
//! Deliberately lacking: what an account may do, which is decided where it is asked; passwords' rules, and second
//! factors.

use std::sync::LazyLock;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use model::{AsProblem, Moment, Problem, ProblemKind, Text, text};
use sha2::{Digest as _, Sha256};
use store::{Registry, StoreError};
use thiserror::Error;

pub use store::{Account, Grant};

/// Wrong passwords after which an account waits.
const FAILURES_MAX: u32 = 5;
/// The first wait; each further wrong password doubles it.
const WAIT_MS: i64 = 60_000;
/// The longest wait.
const WAIT_MS_MAX: i64 = 3_600_000;
/// How long a session lasts: a working day.
pub const SESSION_MS: i64 = 10 * 3_600_000;
/// Shortest password that an account takes.
pub const PASSWORD_LETTERS_MIN: usize = 8;

/// Why somebody is not signed in, or has no account.
#[derive(Debug, Error)]
pub enum AccountError {
    #[error("name and password do not belong together")]
    Wrong,
    #[error("too many wrong passwords; wait until {until}")]
    Locked { until: String, ms: i64 },
    #[error("a password has at least {PASSWORD_LETTERS_MIN} letters")]
    PasswordShort,
    #[error("`{0}` is no name for an account: letters, digits, `-`, `.` and `_`, at most 64")]
    Name(String),
    #[error("the password cannot be hashed: {0}")]
    Hash(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AccountError {
    /// What the person who signs in is told; faults of the machine are not for them.
    pub fn text(&self) -> Option<Text> {
        match self {
            Self::Wrong => Some(Text::new("用户名或密码不对", "name and password do not belong together")),
            Self::Locked { ms, .. } => {
                let minutes = (ms + 59_999) / 60_000;
                Some(Text::new(
                    format!("密码多次不对，请 {minutes} 分钟后再试"),
                    format!("too many wrong passwords; try again in {minutes} minutes"),
                ))
            }
            _ => None,
        }
    }
}

impl AsProblem for AccountError {
    fn problem(&self) -> Problem {
        let say = |kind, code, words| Problem::new(kind, code, words);
        match self {
            Self::Wrong => say(
                ProblemKind::Refused,
                "sign-in-wrong",
                Text::new("用户名或密码不对", "name and password do not belong together"),
            ),
            Self::Locked { until, .. } => say(
                ProblemKind::Refused,
                "sign-in-locked",
                text!("密码多次不对，请等到 {until}", "too many wrong passwords; wait until {until}"),
            ),
            Self::PasswordShort => say(
                ProblemKind::Input,
                "password-short",
                text!(
                    "密码至少 {PASSWORD_LETTERS_MIN} 个字符",
                    "a password has at least {PASSWORD_LETTERS_MIN} letters"
                ),
            ),
            Self::Name(name) => say(
                ProblemKind::Input,
                "account-name",
                text!("`{name}` 不能作用户名", "`{name}` is no name for an account"),
            )
            .hint(Text::new(
                "可用字母、数字、`-`、`.`、`_`，最多 64 个",
                "letters, digits, `-`, `.` and `_`, at most 64",
            )),
            Self::Hash(reason) => say(
                ProblemKind::Bug,
                "password-hash",
                text!("密码没有散列成功（`{reason}`）", "the password cannot be hashed: {reason}"),
            ),
            Self::Store(error) => error.problem(),
        }
    }
}

/// Somebody new, or with a new password.
#[derive(Clone, Debug)]
pub struct NewAccount<'a> {
    pub name: &'a str,
    pub title: &'a str,
    pub password: &'a str,
    pub grants: Vec<Grant>,
}

/// Makes an account, or replaces it with its password and grants. `salt` is random.
///
/// # Errors
/// A name that is none, a short password, a registry that does not take it.
pub fn save(
    registry: &mut Registry,
    account: &NewAccount<'_>,
    now: Moment,
    salt: &[u8; 32],
) -> Result<(), AccountError> {
    let is_letter = |letter: char| letter.is_alphanumeric() || "-._".contains(letter);
    if account.name.is_empty() || account.name.chars().count() > 64 || !account.name.chars().all(is_letter) {
        return Err(AccountError::Name(account.name.to_owned()));
    }
    if account.password.chars().count() < PASSWORD_LETTERS_MIN {
        return Err(AccountError::PasswordShort);
    }
    let hashed = Account {
        name: account.name.to_owned(),
        title: account.title.to_owned(),
        password: hash(account.password, salt)?,
        failures: 0,
        locked_until: None,
        grants: account.grants.clone(),
    };
    Ok(registry.save_account(&hashed, now)?)
}

/// Begins a session, and gives its token: `random` in hexadecimal, which the registry knows the hash of.
///
/// # Errors
/// Name and password that do not belong together, an account that waits, a registry that cannot be written.
pub fn sign_in(
    registry: &mut Registry,
    name: &str,
    password: &str,
    now: Moment,
    random: &[u8; 32],
) -> Result<String, AccountError> {
    let account = registry.account(name)?;
    if let Some(until) = account.as_ref().and_then(|account| account.locked_until)
        && until.unix_ms() > now.unix_ms()
    {
        return Err(AccountError::Locked {
            until: until.day().to_string(),
            ms: until.unix_ms() - now.unix_ms(),
        });
    }
    let right = match &account {
        Some(account) => verify(password, &account.password),
        None => {
            // As much work as for an account that is there.
            let _ = verify(password, &NOBODY);
            false
        }
    };
    match account {
        Some(account) if right => {
            let token: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
            let ends = Moment::from_unix_ms(now.unix_ms() + SESSION_MS);
            registry.begin_session(&id_of(&token), &account.name, now, ends)?;
            Ok(token)
        }
        Some(account) => {
            let over = (account.failures + 1).checked_sub(FAILURES_MAX);
            let wait = over.map(|over| (WAIT_MS << over.min(10)).min(WAIT_MS_MAX));
            let until = wait.map(|wait| Moment::from_unix_ms(now.unix_ms() + wait));
            registry.note_failure(&account.name, until)?;
            Err(AccountError::Wrong)
        }
        None => Err(AccountError::Wrong),
    }
}

/// The account whose session a token is.
///
/// # Errors
/// A registry that cannot be read.
pub fn of_session(registry: &Registry, token: &str, now: Moment) -> Result<Option<Account>, AccountError> {
    Ok(registry.session_account(&id_of(token), now)?)
}

/// Ends a session.
///
/// # Errors
/// A registry that cannot be written.
pub fn sign_out(registry: &mut Registry, token: &str) -> Result<(), AccountError> {
    Ok(registry.end_session(&id_of(token))?)
}

/// Hash of a password that nobody has.
static NOBODY: LazyLock<String> = LazyLock::new(|| hash("nobody's", &[7; 32]).unwrap_or_default());

fn hash(password: &str, salt: &[u8; 32]) -> Result<String, AccountError> {
    let fault = |error: argon2::password_hash::Error| AccountError::Hash(error.to_string());
    let hash = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt[..16]).map_err(fault)?;
    Ok(hash.to_string())
}

fn verify(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash)
        .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

fn id_of(token: &str) -> store::SessionId {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry() -> (tempfile::TempDir, Registry) {
        let folder = tempfile::tempdir().unwrap();
        let program = pack::program::Program::default();
        let registry = Registry::create(folder.path(), &program, store::RegistryId::from_random([3; 16]));
        (folder, registry.unwrap())
    }

    fn at(minutes: i64) -> Moment {
        Moment::from_unix_ms(1_456_800_000_000 + minutes * 60_000)
    }

    fn saved(registry: &mut Registry) {
        let grants = vec![Grant { role: "county".to_owned(), place: "513336".to_owned() }];
        let new = NewAccount { name: "he", title: "何", password: "a long password", grants };
        save(registry, &new, at(0), &[1; 32]).unwrap();
    }

    #[test]
    fn a_session_is_an_accounts_until_it_ends() {
        let (_folder, mut registry) = registry();
        assert!(of_session(&registry, "x", at(0)).unwrap().is_none());
        saved(&mut registry);
        let token = sign_in(&mut registry, "he", "a long password", at(1), &[9; 32]).unwrap();
        let account = of_session(&registry, &token, at(2)).unwrap().unwrap();
        assert_eq!((account.title.as_str(), account.grants[0].place.as_str()), ("何", "513336"));
        assert!(of_session(&registry, &token, at(1 + SESSION_MS / 60_000)).unwrap().is_none());
        sign_out(&mut registry, &token).unwrap();
        assert!(of_session(&registry, &token, at(2)).unwrap().is_none());
    }

    #[test]
    fn wrong_passwords_make_an_account_wait_and_a_right_one_does_not_help() {
        let (_folder, mut registry) = registry();
        saved(&mut registry);
        for _ in 0..FAILURES_MAX {
            let refused = sign_in(&mut registry, "he", "guess", at(0), &[9; 32]);
            assert!(matches!(refused, Err(AccountError::Wrong)));
        }
        let locked = sign_in(&mut registry, "he", "a long password", at(0), &[9; 32]);
        assert!(matches!(locked, Err(AccountError::Locked { ms: 60_000, .. })), "{locked:?}");
        assert!(sign_in(&mut registry, "he", "a long password", at(1), &[9; 32]).is_ok());
    }

    #[test]
    fn an_unknown_name_is_refused_like_a_wrong_password() {
        let (_folder, mut registry) = registry();
        let refused = sign_in(&mut registry, "nobody", "guess", at(0), &[9; 32]);
        assert!(matches!(refused, Err(AccountError::Wrong)));
    }

    #[test]
    fn no_password_is_kept_as_it_is() {
        let (folder, mut registry) = registry();
        saved(&mut registry);
        let account = registry.account("he").unwrap().unwrap();
        assert!(account.password.starts_with("$argon2id$"), "{}", account.password);
        drop(registry);
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            assert!(!bytes.windows(15).any(|window| window == b"a long password"));
        }
    }

    #[test]
    fn short_passwords_and_odd_names_are_refused() {
        let (_folder, mut registry) = registry();
        let new = |name, password| NewAccount { name, title: "", password, grants: vec![] };
        let refused = save(&mut registry, &new("a", "short"), at(0), &[1; 32]);
        assert!(matches!(refused, Err(AccountError::PasswordShort)));
        let refused = save(&mut registry, &new("a b", "long enough"), at(0), &[1; 32]);
        assert!(matches!(refused, Err(AccountError::Name(_))));
    }
}
