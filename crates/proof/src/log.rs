//! Publishing: appending leaves to a log and signing its new head.

use crate::receipt::read_checkpoint;
use crate::resource::partial_folder;
use crate::{CHECKPOINT_PATH, Checkpoint, Fault, Files, Frontier, Leaf, SignedCheckpoint, SigningKey, Tiles};

/// A log that is being published.
///
/// Tiles and bundles are written first and the checkpoint last, so that a reader never finds a head whose tiles
/// are not there. Whatever interrupts [`Log::publish`], the folder holds the old log or the new one, and the same
/// call repeated completes it.
///
/// For that, leaves have to come in one order that never changes: the caller keeps them in an append-only list
/// and publishes from it by number.
#[derive(Debug)]
pub struct Log<F> {
    files: F,
    key: SigningKey,
    frontier: Frontier,
    head: Option<SignedCheckpoint>,
}

impl<F: Files> Log<F> {
    /// Opens a published log, or begins one where there is none.
    ///
    /// `known` is the last head that the caller remembers, from somewhere else than these files. A log that does
    /// not extend it is refused: it was restored from an old copy, and to append to it would sign a second
    /// history. Without it, a setback before this call cannot be noticed.
    pub fn open(files: F, key: SigningKey, known: Option<&Checkpoint>) -> Result<Self, Fault> {
        let mut log = Self { files, key, frontier: Frontier::new(), head: None };
        log.load(known)?;
        Ok(log)
    }

    /// Published entries.
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The published head; `None` before the first.
    pub fn head(&self) -> Option<&SignedCheckpoint> {
        self.head.as_ref()
    }

    /// Publishes leaves as numbers `first`, `first + 1`, … and returns the new head.
    ///
    /// Numbers that are published already must be the same leaves, so that a call may be repeated when it is not
    /// known whether it succeeded. Without new leaves the head stays as it is.
    pub fn publish(&mut self, first: u64, leaves: &[Leaf]) -> Result<SignedCheckpoint, Fault> {
        self.load_if_changed()?;
        let size = self.size();
        if first > size {
            return Err(Fault::Gap { first, size });
        }
        let published = usize::try_from(size - first).unwrap_or(usize::MAX).min(leaves.len());
        let (published, new) = leaves.split_at(published);
        self.check_published(first, published)?;
        if let Some(head) = self.head.as_ref().filter(|_| new.is_empty()) {
            return Ok(head.clone());
        }

        let mut frontier = self.frontier.clone();
        let mut full_paths = Vec::new();
        let mut full = Vec::new();
        for leaf in new {
            frontier.append(leaf.to_bytes(), &mut full)?;
            for resource in full.drain(..) {
                self.files.write(&resource.path, &resource.bytes)?;
                full_paths.push(resource.path);
            }
        }
        for resource in frontier.partial() {
            self.files.write(&resource.path, &resource.bytes)?;
        }
        let head = SignedCheckpoint::sign(frontier.size(), frontier.root(), &self.key);
        self.files.write(CHECKPOINT_PATH, head.note.as_bytes())?;
        self.frontier = frontier;
        self.head = Some(head.clone());
        for path in full_paths {
            // The full form has what the partial ones had. One that stays behind only takes room, and the leaves
            // are published: a failure here must not look as if they were not.
            let _ = self.files.remove_folder(&partial_folder(&path));
        }
        Ok(head)
    }

    fn load(&mut self, known: Option<&Checkpoint>) -> Result<(), Fault> {
        let head = read_checkpoint(&self.files, self.key.verifier())?;
        let size = head.as_ref().map_or(0, |head| head.checkpoint.size);
        if let Some(known) = known {
            if known.origin != self.key.name() {
                return Err(Fault::Origin {
                    found: known.origin.clone(),
                    expected: self.key.name().to_owned(),
                });
            }
            match &head {
                Some(head) => {
                    Tiles::new(&self.files, size).consistency(known, &head.checkpoint)?;
                }
                None => return Err(Fault::Missing { path: CHECKPOINT_PATH.to_owned() }),
            }
        }
        let frontier = Frontier::read(&self.files, size)?;
        if head.as_ref().is_some_and(|head| head.checkpoint.root != frontier.root()) {
            return Err(Fault::Root { size });
        }
        (self.frontier, self.head) = (frontier, head);
        Ok(())
    }

    /// The head on the disk is not the one in memory after a write whose success is unknown; and whoever puts
    /// back an old copy while the log is open must not get a second history out of it.
    fn load_if_changed(&mut self) -> Result<(), Fault> {
        let known = self.head.as_ref().map(|head| &head.checkpoint);
        let found = read_checkpoint(&self.files, self.key.verifier())?;
        if found.as_ref().map(|head| &head.checkpoint) == known {
            return Ok(());
        }
        let known = known.cloned();
        self.load(known.as_ref())
    }

    fn check_published(&self, first: u64, leaves: &[Leaf]) -> Result<(), Fault> {
        let tiles = Tiles::new(&self.files, self.size());
        for (index, leaf) in (first..).zip(leaves) {
            if tiles.hash_of(index..index + 1)? != crate::Hash::leaf(&leaf.to_bytes()) {
                return Err(Fault::PublishedOtherwise { index });
            }
        }
        Ok(())
    }
}
