//! The place that all machines share: a folder, or a bucket of an object store.

use std::ops::Range;
use std::path::Path as FilePath;
use std::sync::Arc;

use bytes::Bytes;
use engine::SnapshotFiles;
use futures::TryStreamExt as _;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _, PutPayload};

use crate::ClusterError;

/// Files by name below one place. A file appears whole or not at all.
#[derive(Clone, Debug)]
pub(crate) struct Storage {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
}

impl Storage {
    /// A folder, made if it is not there, or a URL (`s3://bucket/prefix`; credentials and endpoint as the
    /// environment says, `AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT` and so on).
    pub fn open(place: &str) -> Result<Self, ClusterError> {
        let fault = |reason: String| ClusterError::Place { place: place.to_owned(), reason };
        if !place.contains("://") {
            let folder = FilePath::new(place);
            std::fs::create_dir_all(folder).map_err(|error| fault(error.to_string()))?;
            let store = LocalFileSystem::new_with_prefix(folder).map_err(|error| fault(error.to_string()))?;
            return Ok(Self { store: Arc::new(store), prefix: Path::default() });
        }
        let url = place.parse().map_err(|error| fault(format!("{error}")))?;
        let environment = std::env::vars().map(|(name, value)| (name.to_ascii_lowercase(), value));
        let (store, prefix) =
            object_store::parse_url_opts(&url, environment).map_err(|error| fault(error.to_string()))?;
        Ok(Self { store: Arc::from(store), prefix })
    }

    fn path(&self, name: &str) -> Path {
        name.split('/').fold(self.prefix.clone(), Path::join)
    }

    pub async fn put(&self, name: &str, content: Bytes) -> Result<(), ClusterError> {
        let payload = PutPayload::from_bytes(content);
        self.store.put(&self.path(name), payload).await.map(|_| ()).map_err(failed(name))
    }

    /// None if it is not there.
    pub async fn get(&self, name: &str) -> Result<Option<Bytes>, ClusterError> {
        match self.store.get(&self.path(name)).await {
            Ok(found) => found.bytes().await.map(Some).map_err(failed(name)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(name)(error)),
        }
    }

    pub async fn has(&self, name: &str) -> Result<bool, ClusterError> {
        match self.store.head(&self.path(name)).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(failed(name)(error)),
        }
    }

    /// Removes everything below a name, or below the place.
    pub async fn remove_all(&self, below: Option<&str>) -> Result<(), ClusterError> {
        let prefix = below.map_or_else(|| self.prefix.clone(), |name| self.path(name));
        let found = self.store.list(Some(&prefix)).map_ok(|object| object.location);
        let found: Vec<Path> = found.try_collect().await.map_err(failed(prefix.as_ref()))?;
        for path in found {
            self.store.delete(&path).await.map_err(failed(path.as_ref()))?;
        }
        Ok(())
    }
}

/// A snapshot in an object store, for readers that do not wait themselves.
#[derive(Debug)]
pub struct RemoteSnapshot {
    storage: Storage,
    runtime: tokio::runtime::Runtime,
}

impl RemoteSnapshot {
    /// `s3://bucket/prefix`, or another URL that the object store understands.
    ///
    /// # Errors
    /// [`ClusterError::Place`].
    pub fn open(url: &str) -> Result<Self, ClusterError> {
        let fault =
            |error: std::io::Error| ClusterError::Place { place: url.to_owned(), reason: error.to_string() };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        Ok(Self { storage: Storage::open(url)?, runtime: runtime.map_err(fault)? })
    }
}

impl SnapshotFiles for RemoteSnapshot {
    fn size(&self, name: &str) -> std::io::Result<Option<u64>> {
        let path = self.storage.path(name);
        match self.runtime.block_on(self.storage.store.head(&path)) {
            Ok(found) => Ok(Some(found.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(std::io::Error::other(error)),
        }
    }

    fn read(&self, name: &str, ranges: &[Range<u64>]) -> std::io::Result<Vec<Bytes>> {
        let path = self.storage.path(name);
        self.runtime.block_on(self.storage.store.get_ranges(&path, ranges)).map_err(std::io::Error::other)
    }
}

fn failed(name: &str) -> impl FnOnce(object_store::Error) -> ClusterError {
    let name = name.to_owned();
    move |error| ClusterError::Storage { name, reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_keeps_what_is_put_until_it_is_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("staging").display().to_string();
        let storage = Storage::open(&place).expect("it opens");
        storage.put("00001/group.json", Bytes::from_static(b"{}")).await.expect("it is put");
        assert!(storage.has("00001/group.json").await.expect("an answer"));
        assert!(!storage.has("00002/group.json").await.expect("an answer"));
        assert_eq!(
            storage.get("00001/group.json").await.expect("an answer").as_deref(),
            Some(b"{}".as_slice())
        );
        assert_eq!(storage.get("00002/group.json").await.expect("an answer"), None);
        storage.remove_all(Some("00001")).await.expect("it is removed");
        assert!(!storage.has("00001/group.json").await.expect("an answer"));
    }

    #[test]
    fn a_place_that_is_none_is_named() {
        let error = Storage::open("gopher://x").expect_err("no such store");
        assert!(error.to_string().contains("gopher://x"), "{error}");
    }
}
