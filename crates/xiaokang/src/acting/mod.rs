//! Commands that act: `xiaokang case`, `fund`, `pay`, `log` and `verify`.
//!
//! Each speaks as `--as ROLE[:NAME]` and is one transaction. A refusal ends with exit code 2, its stable code in
//! brackets; nothing has changed then.

pub mod case;
pub mod fund;
pub mod log;
pub mod pay;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use app::Registry;
use app::acting::{Acting, ActingError};
use app::packs::Loaded;
use model::{Lang, Moment, Text};

use crate::arguments::acting::{Actor, Site};
use crate::console::{CommandResult, Failure, load_pack, now_ms, open_registry};

/// Values rest on one another through many columns.
const STACK_BYTES: usize = 64 << 20;

/// A registry with its pack.
pub struct Office {
    pub pack: Arc<Loaded>,
    pub registry: Registry,
}

impl Office {
    pub fn open(site: &Site) -> Result<Self, Failure> {
        let pack = shared_pack(&site.pack)?;
        let named =
            site.registry.clone().or_else(|| std::env::var_os("XIAOKANG_REGISTRY").map(PathBuf::from));
        let folder = named.ok_or_else(|| {
            Failure::with_hint(
                Text::new("没有指明登记库", "no registry is named"),
                Text::new(
                    "请用 `--registry` 或环境变量 `XIAOKANG_REGISTRY` 指明",
                    "name it with --registry, or in XIAOKANG_REGISTRY",
                ),
            )
        })?;
        let registry = open_registry(&folder, &pack.program)?;
        Ok(Self { pack, registry })
    }
}

/// The pack of a folder. A process that runs many commands reads it once.
fn shared_pack(folder: &Path) -> Result<Arc<Loaded>, Failure> {
    static READ: Mutex<BTreeMap<PathBuf, Arc<Loaded>>> = Mutex::new(BTreeMap::new());
    let mut read = READ.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(pack) = read.get(folder) {
        return Ok(pack.clone());
    }
    let pack = Arc::new(load_pack(folder, &[], &[])?);
    read.insert(folder.to_owned(), pack.clone());
    Ok(pack)
}

/// Who acts, at this moment.
pub fn acting(actor: &Actor) -> Acting {
    let at = Moment::from_unix_ms(now_ms());
    let on = actor.on.map_or_else(|| at.day(), |day| day.0);
    Acting { role: actor.role.role.clone(), name: actor.role.name.clone(), at, on }
}

/// Bytes from the system's source.
///
/// # Panics
/// If the system gives none: nothing may be salted or drawn with anything else.
pub fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the system gives random numbers");
    bytes
}

/// What is said of an act that came to nothing.
pub fn failure(error: ActingError, _lang: Lang) -> Failure {
    error.into()
}

/// Runs a command where there is room to follow values through many columns.
fn with_room(work: impl FnOnce() -> CommandResult + Send) -> CommandResult {
    in_room(work)
}

/// As [`with_room`], for what is no command.
pub fn in_room<T: Send>(work: impl FnOnce() -> Result<T, Failure> + Send) -> Result<T, Failure> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("acting".to_owned()).stack_size(STACK_BYTES);
        let thread = thread.spawn_scoped(scope, work).map_err(Failure::internal)?;
        thread.join().unwrap_or_else(|_| Err(Failure::internal("a worker panicked")))
    })
}

/// One of two words.
fn words(lang: Lang, zh: &'static str, en: &'static str) -> &'static str {
    if lang == Lang::Zh { zh } else { en }
}
