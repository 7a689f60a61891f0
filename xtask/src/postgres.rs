//! A private PostgreSQL cluster on a free port of 127.0.0.1, stopped when the tests end.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{find, install, quiet};

pub struct Server {
    binaries: PathBuf,
    data: PathBuf,
    port: u16,
    /// PostgreSQL refuses to run as root: then it runs as the user Debian makes for it.
    as_postgres: bool,
}

impl Server {
    pub fn start(work: &Path) -> Result<Self, String> {
        let binaries = match binaries() {
            Some(found) => found,
            None => {
                install(&["postgresql"])?;
                binaries().ok_or("PostgreSQL is installed, but `initdb` is not where Debian puts it")?
            }
        };
        let as_postgres = quiet(Command::new("id").arg("-u"))?.trim() == "0";
        // The user `postgres` cannot enter a folder of root's. Each run has data of its own.
        let parent = if as_postgres { std::env::temp_dir() } else { work.to_path_buf() };
        remove_left_behind(&parent);
        let data = parent.join(format!("{PREFIX}{}", std::process::id()));
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|socket| socket.local_addr())
            .map_err(|error| format!("no free port: {error}"))?
            .port();
        let server = Self { binaries, data, port, as_postgres };
        server.tool("initdb", &["-U", "xiaokang", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"])?;
        // No socket in a folder: the path of one may have 107 bytes, and a checkout may lie deeper.
        let options = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off -c jit=off"
        );
        let log = server.data.join("server.log").display().to_string();
        server.tool("pg_ctl", &["start", "-w", "-o", &options, "-l", &log])?;
        Ok(server)
    }

    /// Runs one of PostgreSQL's programs on the cluster's folder.
    fn tool(&self, name: &str, arguments: &[&str]) -> Result<String, String> {
        let program = self.binaries.join(name);
        let mut command = if self.as_postgres {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(&program);
            command.current_dir("/");
            command
        } else {
            Command::new(&program)
        };
        quiet(command.arg("-D").arg(&self.data).args(arguments))
    }

    pub fn url(&self) -> String {
        format!("postgresql://xiaokang@127.0.0.1:{}/postgres", self.port)
    }

    pub fn psql(&self) -> PathBuf {
        self.binaries.join("psql")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.tool("pg_ctl", &["stop", "-m", "immediate"]) {
            eprintln!("postgres did not stop: {error}");
        }
        let _ = std::fs::remove_dir_all(&self.data);
    }
}

/// The newest PostgreSQL server that Debian has installed, or one on the PATH.
fn binaries() -> Option<PathBuf> {
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .filter(|folder| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file())
        .collect();
    versions.sort_by_key(|folder| version(folder));
    versions.pop().or_else(|| find("initdb").and_then(|file| file.parent().map(Path::to_path_buf)))
}

/// The version in `/usr/lib/postgresql/17/bin`: 9.6 is older than 17.
fn version(folder: &Path) -> Vec<u32> {
    let name = folder.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_default().split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

/// Name of a cluster's folder, before the number of the process that made it.
const PREFIX: &str = "xiaokang-postgres-";

/// Removes the folders of runs that were killed: their processes are no more.
fn remove_left_behind(parent: &Path) {
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(process) = name.strip_prefix(PREFIX).and_then(|number| number.parse::<u32>().ok()) else {
            continue;
        };
        let server = std::fs::read_to_string(entry.path().join("postmaster.pid")).unwrap_or_default();
        let server = server.lines().next().and_then(|number| number.trim().parse::<u32>().ok());
        let runs = |process: u32| Path::new("/proc").join(process.to_string()).exists();
        if !runs(process) && !server.is_some_and(runs) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers() {
        let mut folders: Vec<PathBuf> = ["17", "9.6", "10", "9.10"]
            .iter()
            .map(|version| Path::new("/x").join(version).join("bin"))
            .collect();
        folders.sort_by_key(|folder| version(folder));
        let names: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
        assert_eq!(names, ["/x/9.6/bin", "/x/9.10/bin", "/x/10/bin", "/x/17/bin"]);
    }

    #[test]
    fn data_of_a_run_that_goes_on_are_left_alone() {
        let folder = std::env::temp_dir().join(format!("xiaokang-xtask-{}", std::process::id()));
        let own = folder.join(format!("{PREFIX}{}", std::process::id()));
        // Processes have no numbers so high.
        let (dead, other) = (folder.join(format!("{PREFIX}4294967295")), folder.join("postgres"));
        for made in [&own, &dead, &other] {
            std::fs::create_dir_all(made).expect("a folder");
        }
        remove_left_behind(&folder);
        assert_eq!([own.exists(), dead.exists(), other.exists()], [true, false, true]);
        std::fs::remove_dir_all(&folder).expect("the folder is removed");
    }
}
