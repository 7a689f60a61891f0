//! The executor's side: a job's snapshot and plan stay open from group to group.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use engine::{EngineError, Request};
use model::Text;
use pack::program::Program;
use tokio::sync::oneshot;

use crate::job::{PACK_FILE, group_file};
use crate::storage::Storage;
use crate::{ClusterError, Job};

/// Compiles the text of a pack, as it was staged with a job.
pub type Compile = Arc<dyn Fn(&str) -> Result<Program, String> + Send + Sync>;

/// Jobs that an executor holds open.
const OPEN_JOBS: usize = 2;

/// Works on groups of any job that it is asked for.
#[derive(Clone)]
pub(crate) struct Workers(Arc<Shared>);

struct Shared {
    compile: Compile,
    threads: usize,
    memory: Option<usize>,
    open: tokio::sync::Mutex<VecDeque<(Job, Open)>>,
}

/// A job whose snapshot and plan are at hand.
#[derive(Clone)]
struct Open {
    program: Arc<Program>,
    requests: Sender<Request>,
    storage: Storage,
}

impl std::fmt::Debug for Workers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workers").field("threads", &self.0.threads).finish_non_exhaustive()
    }
}

impl Workers {
    /// With so many threads, and so many bytes for each job.
    pub fn new(compile: Compile, threads: usize, memory: Option<usize>) -> Self {
        Self(Arc::new(Shared { compile, threads, memory, open: tokio::sync::Mutex::default() }))
    }

    /// Computes a group and stages it, unless that has been done.
    pub async fn work(&self, job: &Job, group: usize) -> Result<(), ClusterError> {
        let open = self.open(job).await?;
        if open.storage.has(&group_file(group, engine::GROUP_INDEX)).await? {
            return Ok(());
        }
        let failed = |reason: String| ClusterError::Group { group, reason };
        let (reply, result) = oneshot::channel();
        let request = Request {
            group,
            reply: Box::new(move |result| {
                // Nobody listens if the task was cancelled.
                let _ = reply.send(result);
            }),
        };
        open.requests.send(request).map_err(|_| failed("its worker has ended".to_owned()))?;
        let result = result.await.map_err(|_| failed("its worker has ended".to_owned()))?;
        let files = result.and_then(|result| result.into_files(&open.program));
        for (name, content) in files.map_err(|error| failed(error.to_string()))? {
            open.storage.put(&group_file(group, &name), content).await?;
        }
        Ok(())
    }

    async fn open(&self, job: &Job) -> Result<Open, ClusterError> {
        let mut all = self.0.open.lock().await;
        if let Some(position) = all.iter().position(|(known, _)| known == job) {
            let found = all.remove(position).expect("the position is there");
            let open = found.1.clone();
            all.push_back(found);
            return Ok(open);
        }
        let storage = Storage::open(&job.staging)?;
        let text = storage.get(PACK_FILE).await?.ok_or_else(|| ClusterError::Storage {
            name: PACK_FILE.to_owned(),
            reason: "it is not there; do all machines see the same place?".to_owned(),
        })?;
        let program = (self.0.compile)(&String::from_utf8_lossy(&text))
            .map_err(|reason| ClusterError::Start { what: "the pack", reason })?;
        let program = Arc::new(program);
        let (requests, receiver) = channel();
        let (threads, memory) = (self.0.threads, self.0.memory);
        let (owned, shared) = (job.clone(), Arc::clone(&program));
        std::thread::Builder::new()
            .name("job".to_owned())
            .spawn(move || serve(&owned, &shared, threads, memory, receiver))
            .map_err(|error| ClusterError::Start { what: "a worker", reason: error.to_string() })?;
        let open = Open { program, requests, storage };
        all.push_back((job.clone(), open.clone()));
        if all.len() > OPEN_JOBS {
            // Its worker ends with its last request.
            all.pop_front();
        }
        Ok(open)
    }
}

fn serve(job: &Job, program: &Program, threads: usize, memory: Option<usize>, receiver: Receiver<Request>) {
    let receiver = Mutex::new(receiver);
    let next = || receiver.lock().unwrap_or_else(PoisonError::into_inner).recv().ok();
    let outcome = job.options(threads, memory).and_then(|options| engine::serve(program, &options, &next));
    if let Err(error) = outcome {
        let reason = error.to_string();
        while let Some(request) = next() {
            (request.reply)(Err(EngineError::Cluster(Box::new(Text::same(&reason)))));
        }
    }
}
