//! Failures of the cluster.

use thiserror::Error;

/// Why something on the cluster could not be done.
#[derive(Debug, Error)]
pub enum ClusterError {
    #[error("`{place}` is no place that can be reached: {reason}")]
    Place { place: String, reason: String },
    #[error("`{name}` in the staging area: {reason}")]
    Storage { name: String, reason: String },
    #[error("`{url}` is no address of a scheduler: write `http://host:50050`")]
    Url { url: String },
    #[error(
        "the job did not end: {reason}; {missing} of {groups} groups are missing, and nothing was written"
    )]
    Incomplete { reason: String, missing: usize, groups: usize },
    #[error(
        "`{address}` is reached by other machines, and without a secret anybody there may send a job: \
         say `--secret FILE` (`xiaokang cluster secret FILE` makes one)"
    )]
    Open { address: std::net::IpAddr },
    #[error("the cluster's secret `{path}` cannot be used: {reason}")]
    Secret { path: std::path::PathBuf, reason: String },
    #[error("{what} cannot be started: {reason}")]
    Start { what: &'static str, reason: String },
    #[error("group {group} failed on an executor: {reason}")]
    Group { group: usize, reason: String },
}

impl From<ClusterError> for engine::EngineError {
    fn from(error: ClusterError) -> Self {
        Self::Cluster(error.to_string())
    }
}
