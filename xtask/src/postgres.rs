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
        let data = if as_postgres {
            // The user `postgres` cannot enter a folder of root's.
            std::env::temp_dir().join(format!("xiaokang-postgres-{}", std::process::id()))
        } else {
            work.join("postgres")
        };
        let _ = std::fs::remove_dir_all(&data);
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|socket| socket.local_addr())
            .map_err(|error| format!("no free port: {error}"))?
            .port();
        let server = Self { binaries, data, port, as_postgres };
        server.tool("initdb", &["-U", "xiaokang", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"])?;
        let socket = server.data.display().to_string();
        let options = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={socket} -c fsync=off -c jit=off"
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
    versions.sort();
    versions.pop().or_else(|| find("initdb").and_then(|file| file.parent().map(Path::to_path_buf)))
}
