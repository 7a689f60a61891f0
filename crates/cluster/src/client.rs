//! The client's side: one job for a run, taken over when all of it is staged.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ballista_core::config::BallistaConfig;
use ballista_core::execution_plans::execute_physical_plan;
use ballista_core::extension::SessionConfigExt as _;
use bytes::Bytes;
use datafusion::prelude::SessionConfig;
use datafusion_proto::protobuf::PhysicalPlanNode;
use engine::{EngineError, GroupResult, Workers};
use futures::TryStreamExt as _;
use model::Text;
use pack::program::Program;

use crate::door::Door;
use crate::job::{PACK_FILE, group_file};
use crate::plan::{Codec, plan};
use crate::storage::Storage;
use crate::{ClusterError, Job, Secret};

/// Jobs that are sent for one run, as long as each brings some groups.
const ATTEMPTS: usize = 5;

/// How long a first executor is waited for.
const EXECUTORS_WAIT: Duration = Duration::from_secs(10);

/// Has the groups of a run worked on by the executors of a scheduler.
pub struct Client {
    scheduler: String,
    job: Job,
    pack: String,
    program: Arc<Program>,
    secret: Option<Secret>,
}

impl Client {
    /// `scheduler` as `http://host:50050`; the pack as text for the executors, and compiled; the secret of the cluster if
    /// it has one.
    ///
    /// # Errors
    /// [`ClusterError::Url`].
    pub fn new(
        scheduler: &str,
        job: Job,
        pack: String,
        program: Arc<Program>,
        secret: Option<Secret>,
    ) -> Result<Self, ClusterError> {
        let address = scheduler.strip_prefix("http://").or_else(|| scheduler.strip_prefix("https://"));
        if address.is_none_or(|address| !address.contains(':')) {
            return Err(ClusterError::Url { url: scheduler.to_owned() });
        }
        Ok(Self { scheduler: scheduler.trim_end_matches('/').to_owned(), job, pack, program, secret })
    }

    /// Sends jobs until everything is staged.
    async fn stage(&self, storage: &Storage, groups: usize) -> Result<(), ClusterError> {
        storage.remove_all(None).await?;
        storage.put(PACK_FILE, Bytes::from(self.pack.clone())).await?;
        let mut missing: Vec<usize> = (0..groups).collect();
        for _ in 0..ATTEMPTS {
            let outcome = match self.executors().await {
                Ok(()) => self.send(&missing).await,
                Err(reason) => Err(reason),
            };
            let mut still = vec![];
            for group in &missing {
                if !storage.has(&group_file(*group, engine::GROUP_INDEX)).await? {
                    still.push(*group);
                }
            }
            if still.is_empty() {
                return Ok(());
            }
            let reason = outcome.err().unwrap_or_else(|| "executors left groups out".to_owned());
            if still.len() == missing.len() {
                return Err(ClusterError::Incomplete { reason, missing: still.len(), groups });
            }
            missing = still;
        }
        let reason = "executors were lost too often".to_owned();
        Err(ClusterError::Incomplete { reason, missing: missing.len(), groups })
    }

    /// Waits until some executor is there: a job would wait for the first one for ever.
    async fn executors(&self) -> Result<(), String> {
        let since = Instant::now();
        let door = Door::of(&self.scheduler, self.secret.as_ref()).await?;
        loop {
            let waited_for = match door.is_ready().await {
                Ok(true) => return Ok(()),
                Ok(false) => format!("no executor works for {}", self.scheduler),
                Err(reason) => reason,
            };
            if since.elapsed() > EXECUTORS_WAIT {
                return Err(waited_for);
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Runs a job for some groups and waits for its end.
    async fn send(&self, groups: &[usize]) -> Result<(), String> {
        let plan = plan(self.job.clone(), groups).map_err(|error| error.to_string())?;
        let (config, codec) = (BallistaConfig::default(), Codec::default());
        let mut session = SessionConfig::new_with_ballista();
        if let Some(secret) = &self.secret {
            session = session
                .with_ballista_use_tls(true)
                .with_ballista_override_create_grpc_client_endpoint(secret.clone().endpoints());
        }
        let stream = execute_physical_plan::<PhysicalPlanNode>(
            self.scheduler.clone(),
            &config,
            plan,
            &codec,
            String::new(),
            session,
        );
        let mut stream = stream.await.map_err(|error| error.to_string())?;
        while stream.try_next().await.map_err(|error| error.to_string())?.is_some() {}
        Ok(())
    }
}

impl Workers for Client {
    fn each(
        &self,
        groups: usize,
        take: &mut dyn FnMut(usize, GroupResult) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime =
            runtime.map_err(|error| EngineError::Cluster(Box::new(Text::same(error.to_string()))))?;
        let storage = Storage::open(&self.job.staging)?;
        let staged = runtime.block_on(self.stage(&storage, groups));
        let taken = staged.map_err(EngineError::from).and_then(|()| {
            for group in 0..groups {
                let get = |name: &str| Ok(runtime.block_on(storage.get(&group_file(group, name)))?);
                let result = GroupResult::from_files(&self.program, &get)?.ok_or_else(|| {
                    ClusterError::Group { group, reason: "it is staged no more".to_owned() }
                })?;
                take(group, result)?;
                runtime.block_on(storage.remove_all(Some(&format!("{group:05}"))))?;
            }
            Ok(())
        });
        let cleared = runtime.block_on(storage.remove_all(None));
        if !self.job.staging.contains("://") {
            // Only folders are left; one that is not empty is somebody's.
            let _ = remove_empty_folders(std::path::Path::new(&self.job.staging));
        }
        taken?;
        Ok(cleared?)
    }
}

fn remove_empty_folders(folder: &std::path::Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            remove_empty_folders(&path)?;
        }
    }
    std::fs::remove_dir(folder)
}
