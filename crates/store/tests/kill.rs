//! A writer that is killed at any moment leaves the registry as before its import or as after it.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use common::{county, entity, fields, meta, number, record, registry_id, text};
use pack::program::Program;
use store::{Record, Registry};

const FOLDER: &str = "STORE_KILL_TEST_FOLDER";
const NAME: &str = "a_kill_leaves_before_or_after";
const ROWS: usize = 6000;
const TRIALS: u32 = 12;

/// Changes half of the households and adds as many new ones.
fn second_import(registry: &mut Registry, program: &Program) {
    let id = entity(program, "household");
    let mut session = registry.begin(meta(2)).unwrap();
    let records: Vec<Record> = (ROWS / 2..ROWS * 3 / 2).map(|index| household(index, 2)).collect();
    for batch in records.chunks(500) {
        session.upsert(id, fields(program, id), batch).unwrap();
        println!("batch");
    }
    println!("commit");
    session.commit().unwrap();
    println!("committed");
}

fn household(index: usize, income: i128) -> Record {
    record(vec![text(&format!("h{index}")), text(&format!("v{}", index % 50)), None, number(income), None])
}

fn prepare(folder: &Path, program: &Program) {
    let id = entity(program, "household");
    let mut registry = Registry::create(folder, program, registry_id()).unwrap();
    let mut session = registry.begin(meta(1)).unwrap();
    let records: Vec<Record> = (0..ROWS).map(|index| household(index, 1)).collect();
    session.upsert(id, fields(program, id), &records).unwrap();
    session.commit().unwrap();
}

/// Runs this test again as a process that only imports.
fn start(folder: &Path) -> Child {
    let program = env::current_exe().unwrap();
    let mut command = Command::new(program);
    command.args([NAME, "--exact", "--nocapture"]).env(FOLDER, folder).stdout(Stdio::piped());
    command.spawn().unwrap()
}

/// Kills the process so long after its import began; says whether it got so far as to be done.
fn kill_after(mut child: Child, wait: Duration) -> bool {
    let output = BufReader::new(child.stdout.take().unwrap());
    let (sender, receiver) = channel();
    let reader = std::thread::spawn(move || {
        let mut done = false;
        for line in output.lines() {
            let line = line.unwrap();
            done |= line.ends_with("committed");
            let _ = sender.send(());
        }
        done
    });
    let _ = receiver.recv();
    // Lines that come meanwhile do not shorten the wait.
    let until = Instant::now() + wait;
    while let Some(left) = until.checked_duration_since(Instant::now()) {
        if receiver.recv_timeout(left).is_err() {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}

/// Before (false) or after (true); anything else fails.
fn state(folder: &Path, program: &Program) -> bool {
    let registry = Registry::open(folder, program).unwrap();
    let id = entity(program, "household");
    registry.check().unwrap();
    let imports = registry.imports().unwrap().len();
    let count = registry.view().count(id).unwrap() as usize;
    let last = registry.view().record(id, &format!("h{}", ROWS - 1)).unwrap().unwrap().values[3].clone();
    match imports {
        1 => assert_eq!((count, last), (ROWS, number(1))),
        2 => assert_eq!((count, last), (ROWS * 3 / 2, number(2))),
        other => panic!("{other} imports"),
    }
    imports == 2
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn a_kill_leaves_before_or_after() {
    let program = county().0;
    if let Some(folder) = env::var_os(FOLDER) {
        second_import(&mut Registry::open(Path::new(&folder), &program).unwrap(), &program);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let before = folder.path().join("before");
    prepare(&before, &program);

    let whole = folder.path().join("whole");
    copy(&before, &whole);
    let begun = Instant::now();
    assert!(kill_after(start(&whole), Duration::from_mins(1)), "without a kill the import is done");
    let duration = begun.elapsed();
    assert!(state(&whole, &program));

    for trial in 0..TRIALS {
        let killed = folder.path().join(format!("killed {trial}"));
        copy(&before, &killed);
        let done = kill_after(start(&killed), duration * trial / TRIALS);
        let after = state(&killed, &program);
        assert!(after || !done, "what was reported as committed is there");
        // The registry goes on: the same import leads to the same state.
        let mut registry = Registry::open(&killed, &program).unwrap();
        second_import(&mut registry, &program);
        drop(registry);
        let registry = Registry::open(&killed, &program).unwrap();
        assert_eq!(registry.view().count(entity(&program, "household")).unwrap() as usize, ROWS * 3 / 2);
    }
}
