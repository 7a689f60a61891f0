//! Publishing: whole or not at all, never backwards, never twice otherwise.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fs;
use std::path::Path;

use proof::{Checkpoint, Leaf, SignedCheckpoint};
use proof::{Fault, Files, Folder, Hash, LockedFolder, Log, Source, verify_log};
use support::{Memory, key, leaf, leaves, log_in};

fn read_note(folder: &Path) -> String {
    fs::read_to_string(folder.join("checkpoint")).unwrap()
}

#[test]
fn a_published_log_verifies_and_counts_its_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let log = log_in(folder.path(), 600);
    let facts = verify_log(&Folder::new(folder.path()), key().verifier(), None).unwrap();
    assert_eq!(facts.checkpoint, log.head().unwrap().checkpoint);
    assert_eq!(facts.leaves.values().copied().collect::<Vec<_>>(), [240, 120, 120, 120]);
    assert_eq!((facts.checkpoint.size, facts.extends), (600, None));
}

#[test]
fn an_empty_log_is_published_and_extended() {
    let folder = tempfile::tempdir().unwrap();
    drop(log_in(folder.path(), 0));
    let empty = read_note(folder.path());
    let source = Folder::new(folder.path());
    let facts = verify_log(&source, key().verifier(), None).unwrap();
    assert_eq!((facts.checkpoint.size, facts.checkpoint.root), (0, Hash::empty_tree()));
    let mut log =
        Log::open(LockedFolder::open(folder.path()).unwrap(), key(), Some(&facts.checkpoint)).unwrap();
    log.publish(0, &leaves(0..3)).unwrap();
    assert_eq!(verify_log(&source, key().verifier(), Some(&empty)).unwrap().extends, Some(0));
}

#[test]
fn a_log_that_is_opened_again_goes_on_and_extends_what_readers_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut known = log_in(folder.path(), 1).head().cloned();
    let mut notes = vec![read_note(folder.path())];
    for (from, to) in [(1, 2), (2, 255), (255, 256), (256, 257), (257, 700)] {
        let files = LockedFolder::open(folder.path()).unwrap();
        let mut log = Log::open(files, key(), known.as_ref().map(|head| &head.checkpoint)).unwrap();
        assert_eq!(log.size(), from);
        known = Some(log.publish(from, &leaves(from..to)).unwrap());
        notes.push(read_note(folder.path()));
        for note in &notes {
            let facts = verify_log(&Folder::new(folder.path()), key().verifier(), Some(note)).unwrap();
            assert_eq!(facts.checkpoint.size, to);
        }
    }
    let at_once = tempfile::tempdir().unwrap();
    drop(log_in(at_once.path(), 700));
    assert_eq!(read_note(at_once.path()), read_note(folder.path()), "steps leave no trace in the head");
    assert!(!folder.path().join("tile/0/000.p").exists(), "partial forms of a full tile are cleared away");
    assert!(!folder.path().join("tile/entries/000.p").exists());
}

#[test]
fn whatever_write_fails_a_reader_finds_the_old_log_or_the_new_one_and_repeating_completes_it() {
    let expected = Memory::default();
    Log::open(&expected, key(), None).unwrap().publish(0, &leaves(0..520)).unwrap();
    let mut failures = 0;
    for fail_at in 0.. {
        let memory = Memory::default();
        let mut log = Log::open(&memory, key(), None).unwrap();
        let old = log.publish(0, &leaves(0..250)).unwrap();
        memory.fail_at.set(Some(fail_at));
        let outcome = log.publish(250, &leaves(250..520));
        let unharmed = memory.fail_at.replace(None) != Some(0);
        let facts = verify_log(&&memory, key().verifier(), Some(&old.note)).unwrap();
        assert_eq!(facts.checkpoint.size, if outcome.is_ok() { 520 } else { 250 }, "failure at {fail_at}");

        // In the same process and after a start.
        let again = log.publish(250, &leaves(250..520)).unwrap();
        let mut reopened = Log::open(&memory, key(), Some(&old.checkpoint)).unwrap();
        assert_eq!(reopened.publish(250, &leaves(250..520)).unwrap(), again);
        verify_log(&&memory, key().verifier(), Some(&old.note)).unwrap();
        for (path, bytes) in expected.files.borrow().iter() {
            assert_eq!(memory.files.borrow().get(path), Some(bytes), "failure at {fail_at}: {path}");
        }
        if unharmed {
            assert_eq!(outcome.unwrap(), again);
            break;
        }
        failures += 1;
    }
    assert!(failures > 10, "every write was made to fail, {failures} in all");
}

/// Writes a part of the file beside it, as a process that is killed in the middle of a write does.
struct Torn<'a> {
    files: &'a LockedFolder,
    folder: &'a Path,
    whole: std::cell::Cell<u64>,
}

impl Source for Torn<'_> {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Fault> {
        self.files.read(path)
    }
}

impl Files for Torn<'_> {
    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), Fault> {
        if let Some(left) = self.whole.get().checked_sub(1) {
            self.whole.set(left);
            return self.files.write(path, bytes);
        }
        let temporary = self.folder.join(format!("{path}.tmp"));
        fs::create_dir_all(temporary.parent().unwrap()).unwrap();
        fs::write(&temporary, &bytes[..bytes.len() / 2]).unwrap();
        Err(Fault::File { path: temporary, detail: "killed".to_owned() })
    }

    fn remove_folder(&self, path: &str) -> Result<(), Fault> {
        self.files.remove_folder(path)
    }
}

#[test]
fn a_process_killed_in_the_middle_of_a_write_leaves_a_log_that_verifies_and_goes_on() {
    for whole in 0..8 {
        let folder = tempfile::tempdir().unwrap();
        let old = log_in(folder.path(), 255).head().unwrap().clone();
        let files = LockedFolder::open(folder.path()).unwrap();
        let torn = Torn { files: &files, folder: folder.path(), whole: whole.into() };
        let outcome = Log::open(torn, key(), None).unwrap().publish(255, &leaves(255..300));
        // Two full files, a partial bundle, two partial tiles and the checkpoint.
        assert_eq!(outcome.is_ok(), whole >= 6, "{whole} writes");
        let facts = verify_log(&Folder::new(folder.path()), key().verifier(), None).unwrap();
        assert_eq!(facts.checkpoint.size, if whole >= 6 { 300 } else { 255 });
        let mut log = Log::open(files, key(), Some(&old.checkpoint)).unwrap();
        log.publish(255, &leaves(255..300)).unwrap();
        let facts = verify_log(&Folder::new(folder.path()), key().verifier(), Some(&old.note)).unwrap();
        assert_eq!(facts.checkpoint.size, 300);
    }
}

#[test]
fn leaves_are_published_once_and_in_order() {
    let memory = Memory::default();
    let mut log = Log::open(&memory, key(), None).unwrap();
    let head = log.publish(0, &leaves(0..10)).unwrap();
    let files = memory.files.borrow().clone();
    assert_eq!(log.publish(0, &leaves(0..10)).unwrap(), head, "the same again changes nothing");
    assert_eq!(log.publish(4, &leaves(4..7)).unwrap(), head);
    assert_eq!(log.publish(10, &[]).unwrap(), head);
    assert_eq!(log.publish(11, &[leaf(11)]), Err(Fault::Gap { first: 11, size: 10 }));
    assert_eq!(log.publish(9, &[leaf(8), leaf(10)]), Err(Fault::PublishedOtherwise { index: 9 }));
    assert_eq!(*memory.files.borrow(), files, "what was refused left no trace");
    assert_eq!(log.publish(8, &leaves(8..12)).unwrap().checkpoint.size, 12);
}

#[test]
fn a_folder_set_back_to_an_old_copy_is_refused() {
    let memory = Memory::default();
    let mut log = Log::open(&memory, key(), None).unwrap();
    log.publish(0, &leaves(0..10)).unwrap();
    let old = memory.files.borrow().clone();
    let known = log.publish(10, &leaves(10..20)).unwrap().checkpoint;
    let check = |outcome: Result<(), Fault>, expected: Fault| assert_eq!(outcome, Err(expected));

    *memory.files.borrow_mut() = old.clone();
    check(log.publish(20, &leaves(20..21)).map(drop), Fault::Shrunk { known: 20, found: 10 });
    check(Log::open(&memory, key(), Some(&known)).map(drop), Fault::Shrunk { known: 20, found: 10 });
    memory.files.borrow_mut().clear();
    let missing = Fault::Missing { path: "checkpoint".to_owned() };
    check(Log::open(&memory, key(), Some(&known)).map(drop), missing.clone());
    check(log.publish(20, &leaves(20..21)).map(drop), missing);

    // The old copy went on with another history.
    *memory.files.borrow_mut() = old;
    let mut other = Log::open(&memory, key(), None).unwrap();
    let elsewhere: Vec<Leaf> = leaves(100..110);
    other.publish(10, &elsewhere).unwrap();
    check(Log::open(&memory, key(), Some(&known)).map(drop), Fault::Split { size: 20 });
    other.publish(20, &leaves(20..25)).unwrap();
    check(Log::open(&memory, key(), Some(&known)).map(drop), Fault::Consistency { old: 20, new: 25 });
    let fault = verify_log(&&memory, key().verifier(), Some(&log.head().unwrap().note)).unwrap_err();
    assert_eq!(fault, Fault::Consistency { old: 20, new: 25 });
}

#[test]
fn a_log_ahead_of_what_the_caller_remembers_is_taken_up() {
    let memory = Memory::default();
    let mut log = Log::open(&memory, key(), None).unwrap();
    let known = log.publish(0, &leaves(0..10)).unwrap().checkpoint;
    log.publish(10, &leaves(10..20)).unwrap();
    assert_eq!(Log::open(&memory, key(), Some(&known)).unwrap().size(), 20);
    let other = Checkpoint { origin: "elsewhere.example".to_owned(), ..known };
    assert_eq!(Log::open(&memory, key(), Some(&other)).unwrap_err().code(), "origin");
}

#[test]
fn two_processes_do_not_publish_to_one_folder() {
    let folder = tempfile::tempdir().unwrap();
    let first = LockedFolder::open(folder.path()).unwrap();
    let fault = LockedFolder::open(folder.path()).unwrap_err();
    assert_eq!(fault, Fault::Busy { path: folder.path().to_owned() });
    drop(first);
    LockedFolder::open(folder.path()).unwrap();
}

#[test]
fn a_byte_changed_in_any_file_of_the_log_is_found() {
    let memory = Memory::default();
    Log::open(&memory, key(), None).unwrap().publish(0, &leaves(0..260)).unwrap();
    let files = memory.files.borrow().clone();
    for (path, bytes) in &files {
        // Every byte of a short file, and every 97th of a long one.
        for place in (0..bytes.len()).step_by(if bytes.len() < 400 { 1 } else { 97 }) {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            memory.files.borrow_mut().insert(path.clone(), changed);
            let outcome = verify_log(&&memory, key().verifier(), None);
            assert!(outcome.is_err(), "byte {place} of {path} was changed and nothing noticed");
        }
        memory.files.borrow_mut().remove(path);
        assert!(verify_log(&&memory, key().verifier(), None).is_err(), "{path} is missing");
        memory.files.borrow_mut().insert(path.clone(), bytes.clone());
    }
    verify_log(&&memory, key().verifier(), None).unwrap();
}

#[test]
fn an_entry_changed_together_with_all_tiles_is_found_by_the_signed_root() {
    let honest = Memory::default();
    let head = Log::open(&honest, key(), None).unwrap().publish(0, &leaves(0..300)).unwrap();
    let forged = Memory::default();
    let mut with_another = leaves(0..300);
    with_another[150] = leaf(151);
    Log::open(&forged, key(), None).unwrap().publish(0, &with_another).unwrap();
    forged.files.borrow_mut().insert("checkpoint".to_owned(), head.note.clone().into_bytes());
    assert_eq!(verify_log(&&forged, key().verifier(), None), Err(Fault::Root { size: 300 }));
    assert_eq!(Log::open(&forged, key(), None).unwrap_err(), Fault::Root { size: 300 });
    assert!(SignedCheckpoint::open(&head.note, key().verifier()).is_ok());
}

#[test]
fn a_log_whose_last_entries_were_changed_is_not_appended_to() {
    let memory = Memory::default();
    Log::open(&memory, key(), None).unwrap().publish(0, &leaves(0..300)).unwrap();
    let check = |path: &str, expected: Fault| {
        let honest = memory.files.borrow()[path].clone();
        memory.files.borrow_mut().get_mut(path).unwrap()[40] ^= 1;
        assert_eq!(Log::open(&memory, key(), None).unwrap_err(), expected);
        memory.files.borrow_mut().insert(path.to_owned(), honest);
    };
    let damaged = |path: &str| Fault::Damaged { path: path.to_owned() };
    check("tile/entries/001.p/44", damaged("tile/entries/001.p/44"));
    check("tile/0/001.p/44", damaged("tile/entries/001.p/44"));
    assert!(Log::open(&memory, key(), None).is_ok());
}
