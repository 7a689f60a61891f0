//! Keys of the log, in the texts of `signed-note`: Ed25519 with a name and four bytes of a hash.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ed25519_dalek::Signer;
use model::Text;

use crate::{Fault, Hash};

/// The byte that says Ed25519.
const ED25519: u8 = 1;
const PRIVATE: &str = "PRIVATE+KEY+";

/// The public key of a log: what anyone needs to check it. As text `name+hash+base64`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: [u8; 4],
    key: ed25519_dalek::VerifyingKey,
}

impl VerifierKey {
    /// The name, which is also the origin of the log's checkpoints.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first bytes of the hash over name and key, which tell signatures of two keys of one name apart.
    pub(crate) fn id(&self) -> [u8; 4] {
        self.id
    }

    /// Weak keys and signatures of small order are refused too.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        self.key.verify_strict(message, &signature).is_ok()
    }

    fn new(name: &str, key: ed25519_dalek::VerifyingKey) -> Self {
        let hash = Hash::of(&[name.as_bytes(), b"\n", &[ED25519], key.as_bytes()]);
        let [first, second, third, fourth, ..] = *hash.as_bytes();
        Self { name: name.to_owned(), id: [first, second, third, fourth], key }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[ED25519], self.key.as_bytes().as_slice()].concat();
        write!(f, "{}+{:08x}+{}", self.name, u32::from_be_bytes(self.id), BASE64_STANDARD.encode(key))
    }
}

impl FromStr for VerifierKey {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let refused = || {
            form("公钥应为 `名称+哈希+base64`（Ed25519）", "a public key is `name+hash+base64`, with Ed25519")
        };
        let (name, rest) = text.trim_ascii_end().split_once('+').ok_or_else(refused)?;
        let (id, key) = rest.split_once('+').ok_or_else(refused)?;
        check_name(name)?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(&read_key(key).ok_or_else(refused)?);
        let key = key.ok().filter(|key| !key.is_weak()).ok_or_else(refused)?;
        with_id(Self::new(name, key), id)
    }
}

/// The private key of a log. As text it is `PRIVATE+KEY+name+hash+base64`, which [`crate::write_signing_key`]
/// writes and nothing prints. The key is wiped from memory when it is dropped.
#[derive(Clone)]
pub struct SigningKey {
    key: ed25519_dalek::SigningKey,
    verifier: VerifierKey,
}

impl SigningKey {
    /// The name is the origin of the log: its address without scheme and last slash, such as
    /// `poverty.example/sichuan`, without spaces and plus. The seed comes from a cryptographic source of
    /// randomness.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, Fault> {
        check_name(name)?;
        let key = ed25519_dalek::SigningKey::from_bytes(seed);
        Ok(Self { verifier: VerifierKey::new(name, key.verifying_key()), key })
    }

    pub fn name(&self) -> &str {
        self.verifier.name()
    }

    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }

    /// For the key's own file, and nothing else.
    pub(crate) fn expose(&self) -> String {
        let key = [&[ED25519], self.key.as_bytes().as_slice()].concat();
        let id = u32::from_be_bytes(self.verifier.id);
        format!("{PRIVATE}{}+{id:08x}+{}", self.name(), BASE64_STANDARD.encode(key))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.verifier)
    }
}

/// Reads the text of a key file. What is refused is never repeated in the message.
impl FromStr for SigningKey {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let refused = || {
            form(
                "私钥应为 `PRIVATE+KEY+名称+哈希+base64`（Ed25519）",
                "a private key is `PRIVATE+KEY+name+hash+base64`, with Ed25519",
            )
        };
        let rest = text.trim_ascii_end().strip_prefix(PRIVATE).ok_or_else(refused)?;
        let (name, rest) = rest.split_once('+').ok_or_else(refused)?;
        let (id, key) = rest.split_once('+').ok_or_else(refused)?;
        let key = Self::from_seed(name, &read_key(key).ok_or_else(refused)?)?;
        with_id(key.verifier.clone(), id)?;
        Ok(key)
    }
}

/// A name is not empty and has neither spaces, control characters nor a plus.
pub(crate) fn check_name(name: &str) -> Result<(), Fault> {
    let bad = |character: char| character.is_whitespace() || character.is_control() || character == '+';
    if name.is_empty() || name.contains(bad) {
        return Err(form(
            "密钥名称不能为空，不能含空格、控制字符或 `+`；请用网址去掉协议，如 `poverty.example/sichuan`",
            "a key's name is not empty and has no spaces, control characters or `+`; \
             use an address without its scheme, such as `poverty.example/sichuan`",
        ));
    }
    Ok(())
}

fn read_key(text: &str) -> Option<[u8; 32]> {
    let bytes = BASE64_STANDARD.decode(text).ok()?;
    let (&ED25519, key) = bytes.split_first()? else { return None };
    key.try_into().ok()
}

/// The hash in a key's text guards against slips in the rest of it.
fn with_id(key: VerifierKey, id: &str) -> Result<VerifierKey, Fault> {
    if id == format!("{:08x}", u32::from_be_bytes(key.id)) {
        return Ok(key);
    }
    Err(form(
        "密钥的哈希与名称和内容不符；请重新抄录",
        "the hash in the key does not fit its name and content; copy it again",
    ))
}

fn form(zh: &str, en: &str) -> Fault {
    Fault::Key { reason: Text::new(zh, en) }
}
