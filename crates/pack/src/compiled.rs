//! A compiled program as bytes, for a cache.
//!
//! Only the compiler that wrote them reads them. [`COMPILER`] stands in front, then two sections, each with its
//! length and checksum, as MessagePack: the program that runs, then its text and worked cases, which are most of the
//! bytes and which few ask for. They are no format to exchange; the pack's text is.

use std::io::Read;

use sha2::{Digest as _, Sha256};

use crate::program::{Case, Program, SourceFile};

/// Names the version of the compiler and of the program's types, down to its sources.
pub const COMPILER: &str = env!("PACK_COMPILER");

const CHECKSUM: usize = 32;
const LENGTH: usize = 8;

/// The bytes of a program; `None` if it cannot be written.
pub fn to_bytes(program: Program) -> Option<Vec<u8>> {
    let mut running = program;
    let rest = (std::mem::take(&mut running.files), std::mem::take(&mut running.cases));
    let mut bytes = COMPILER.as_bytes().to_vec();
    for content in [rmp_serde::to_vec(&running).ok()?, rmp_serde::to_vec(&rest).ok()?] {
        bytes.extend((content.len() as u64).to_le_bytes());
        bytes.extend(Sha256::digest(&content));
        bytes.extend(content);
    }
    Some(bytes)
}

/// The program; `None` if another compiler wrote the bytes, or if they are damaged.
pub fn whole(mut bytes: impl Read) -> Option<Program> {
    let mut program = read_running(&mut bytes)?;
    let (files, cases): (Vec<SourceFile>, Vec<Case>) = rmp_serde::from_slice(&section(&mut bytes)?).ok()?;
    (program.files, program.cases) = (files, cases);
    Some(program)
}

/// The program without its text and its worked cases, read without them; otherwise as [`whole`].
pub fn running(mut bytes: impl Read) -> Option<Program> {
    read_running(&mut bytes)
}

fn read_running(bytes: &mut impl Read) -> Option<Program> {
    let mut compiler = [0; COMPILER.len()];
    bytes.read_exact(&mut compiler).ok()?;
    if compiler != COMPILER.as_bytes() {
        return None;
    }
    rmp_serde::from_slice(&section(bytes)?).ok()
}

fn section(bytes: &mut impl Read) -> Option<Vec<u8>> {
    let (mut length, mut checksum) = ([0; LENGTH], [0; CHECKSUM]);
    bytes.read_exact(&mut length).ok()?;
    bytes.read_exact(&mut checksum).ok()?;
    let mut content = Vec::new();
    bytes.take(u64::from_le_bytes(length)).read_to_end(&mut content).ok()?;
    (Sha256::digest(&content)[..] == checksum).then_some(content)
}
