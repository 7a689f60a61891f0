//! Failures of the cluster.

use model::{AsProblem, Problem, ProblemKind as Kind, Text, text};
use thiserror::Error;

/// Why something on the cluster could not be done.
#[derive(Debug, Error)]
#[error("{}", self.problem().text.en)]
pub enum ClusterError {
    Place { place: String, reason: String },
    Storage { name: String, reason: String },
    Url { url: String },
    Incomplete { reason: String, missing: usize, groups: usize },
    Open { address: std::net::IpAddr },
    Secret { path: std::path::PathBuf, reason: String },
    Start { what: &'static str, reason: String },
    Group { group: usize, reason: String },
}

impl From<ClusterError> for engine::EngineError {
    fn from(error: ClusterError) -> Self {
        Self::Cluster(Box::new(error.problem().text))
    }
}

impl AsProblem for ClusterError {
    fn problem(&self) -> Problem {
        match self {
            Self::Place { place, reason } => Problem::new(
                Kind::Input,
                "place",
                text!("`{place}` 不是够得着的地方（`{reason}`）", "`{place}` is no place that can be reached: {reason}"),
            ),
            Self::Storage { name, reason } => Problem::new(
                Kind::Machine,
                "storage",
                text!("暂存区里的 `{name}`（`{reason}`）", "`{name}` in the staging area: {reason}"),
            ),
            Self::Url { url } => Problem::new(
                Kind::Input,
                "scheduler-url",
                text!("`{url}` 不是调度器的地址", "`{url}` is no address of a scheduler"),
            )
            .hint(Text::new("请写 `http://host:50050`", "write `http://host:50050`")),
            Self::Incomplete { reason, missing, groups } => Problem::new(
                Kind::Machine,
                "incomplete",
                text!(
                    "作业没有做完（`{reason}`）；{groups} 组中缺 {missing} 组，什么也没有写",
                    "the job did not end: {reason}; {missing} of {groups} groups are missing, and nothing was written"
                ),
            ),
            Self::Open { address } => Problem::new(
                Kind::Refused,
                "open-cluster",
                text!(
                    "别的机器够得着 `{address}`，没有密钥，那里的任何人都能送来作业",
                    "`{address}` is reached by other machines, and without a secret anybody there may send a job"
                ),
            )
            .hint(Text::new(
                "请写 `--secret FILE`（`xiaokang cluster secret FILE` 可生成一个）",
                "say `--secret FILE` (`xiaokang cluster secret FILE` makes one)",
            )),
            Self::Secret { path, reason } => {
                let path = path.display();
                Problem::new(
                    Kind::Input,
                    "cluster-secret",
                    text!("集群密钥“{path}”不能用（`{reason}`）", "the cluster's secret `{path}` cannot be used: {reason}"),
                )
            }
            Self::Start { what, reason } => Problem::new(
                Kind::Machine,
                "start",
                text!("没有启动成功（`{what}`：`{reason}`）", "{what} cannot be started: {reason}"),
            ),
            Self::Group { group, reason } => Problem::new(
                Kind::Machine,
                "group",
                text!("第 {group} 组在执行器上失败（`{reason}`）", "group {group} failed on an executor: {reason}"),
            ),
        }
    }
}
