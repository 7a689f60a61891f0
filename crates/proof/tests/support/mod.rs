//! Logs for the tests: leaves by number, a folder in memory, and files that fail when they are told to.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::Path;

use proof::{Fault, Files, Kind, Leaf, LockedFolder, Log, Object, Opening, Salt, SigningKey, Source};
use serde_json::{Value, json};

pub const ORIGIN: &str = "poverty.example/sichuan";

pub fn key() -> SigningKey {
    SigningKey::from_seed(ORIGIN, &[7; 32]).expect("the name is well formed")
}

pub fn object(value: Value) -> Object {
    value.as_object().expect("the test gives an object").clone()
}

/// The household's part of decision `number`, with a salt that differs for each.
pub fn opening(number: u64) -> Opening {
    let mut salt = [0x5a; Salt::LENGTH];
    salt[..8].copy_from_slice(&number.to_be_bytes());
    Opening {
        salt: Salt::new(salt),
        content: object(json!({
            "amount_fen": 318_000 + number,
            "benefit": "minimum_living",
            "citizen_number": "510681198001010014",
            "household": format!("H{number:06}"),
            "name": "李秀英",
        })),
    }
}

/// Leaf `number`: a decision, or one of the other kinds now and then.
pub fn leaf(number: u64) -> Leaf {
    let kind =
        [Kind::Decision, Kind::Posting, Kind::Decision, Kind::Notice, Kind::Figure][number as usize % 5];
    let public = object(json!({
        "clause": "7.1", "decided_on": "2016-03-01", "division": "510681", "number": number, "title": "最低生活保障",
    }));
    let opening = opening(number);
    let personal = (kind != Kind::Figure).then_some(&opening);
    Leaf::new(kind, public, personal).expect("the leaf is well formed")
}

pub fn leaves(numbers: std::ops::Range<u64>) -> Vec<Leaf> {
    numbers.map(leaf).collect()
}

/// A log of `size` leaves in a folder of its own, published in one go.
pub fn log_in(folder: &Path, size: u64) -> Log<LockedFolder> {
    let files = LockedFolder::open(folder).expect("the folder can be made");
    let mut log = Log::open(files, key(), None).expect("the folder is empty");
    log.publish(0, &leaves(0..size)).expect("the leaves are published");
    log
}

/// A log's files in memory. `fail_at` counts down with each change; at 0 that change and all later ones fail,
/// as after a crash.
#[derive(Debug, Default)]
pub struct Memory {
    pub files: RefCell<BTreeMap<String, Vec<u8>>>,
    pub fail_at: Cell<Option<u64>>,
}

impl Memory {
    fn change(&self) -> Result<(), Fault> {
        match self.fail_at.get() {
            Some(0) => Err(Fault::File { path: "memory".into(), detail: "no space left".to_owned() }),
            Some(left) => {
                self.fail_at.set(Some(left - 1));
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl Source for &Memory {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Fault> {
        Ok(self.files.borrow().get(path).cloned())
    }
}

impl Files for &Memory {
    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), Fault> {
        self.change()?;
        self.files.borrow_mut().insert(path.to_owned(), bytes.to_vec());
        Ok(())
    }

    fn remove_folder(&self, path: &str) -> Result<(), Fault> {
        self.change()?;
        self.files.borrow_mut().retain(|name, _| !name.starts_with(&format!("{path}/")));
        Ok(())
    }
}
