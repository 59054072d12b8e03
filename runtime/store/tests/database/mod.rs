//! A PostgreSQL server of a test: made when it is needed, gone with the test's process however that ends.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// The log of a server has this when it takes connections.
const READY: &str = "database system is ready to accept connections";

/// Runs a command as the user that PostgreSQL has, since it refuses root.
const AS: &str = r#"
    if [ "$(id -u)" = 0 ]; then
        as() { exec setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }
    else
        as() { exec "$@"; }
    fi
"#;

/// Ends a command, as by a crash, when a line comes; when the input ends too, and then its folder is removed.
const KEPT: &str = r#"
    exec 3<&0
    as "$@" &
    server=$!
    (
        read -r _ || gone=yes
        kill -QUIT "$server"
        [ -z "$gone" ] && exit
        while kill -0 "$server"; do sleep 0.1; done
        rm -rf "$FOLDER"
    ) <&3 >/dev/null 2>&1 &
    exec 2>/dev/null
    wait "$server"
"#;

/// A server that listens on a socket in a folder of its own.
pub(crate) struct Database {
    folder: TempDir,
    programs: PathBuf,
    running: Option<Child>,
}

impl Database {
    /// Makes and starts a server; `None` if PostgreSQL is not installed, which fails in CI.
    pub(crate) fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            skipped();
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
            let given = Command::new("chown").arg("postgres").arg(folder.path()).status();
            assert!(given.unwrap().success());
        }
        let mut database = Self { folder, programs, running: None };
        let data = database.data();
        let options =
            ["-D", &data, "-U", "ferrule", "-A", "trust", "-N", "-E", "UTF8", "--no-locale"];
        let made = database.shell(&format!("{AS} as \"$@\""), "initdb", &options).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        database.go_on();
        Some(database)
    }

    /// Starts it after [`Database::crash`].
    pub(crate) fn go_on(&mut self) {
        let (data, socket) = (self.data(), self.folder.path().display().to_string());
        let arguments =
            ["-D", &data, "-k", &socket, "-c", "listen_addresses=", "-c", "max_connections=400"];
        let mut server = self.shell(&format!("{AS} {KEPT}"), "postgres", &arguments);
        server.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut server = server.spawn().unwrap();
        let mut log = BufReader::new(server.stderr.take().unwrap()).lines();
        self.running = Some(server);
        let ready = log.by_ref().find(|line| line.as_ref().is_ok_and(|line| line.contains(READY)));
        assert!(ready.is_some(), "PostgreSQL does not start");
        // It may write to its log for as long as it runs.
        std::thread::spawn(move || log.for_each(drop));
    }

    /// Ends it as a crash does: what is not durable is gone.
    pub(crate) fn crash(&mut self) {
        if let Some(mut server) = self.running.take() {
            let input = server.stdin.as_mut().unwrap();
            input.write_all(b"crash\n").unwrap();
            server.wait().unwrap();
        }
    }

    /// The URL of its database.
    pub(crate) fn url(&self) -> String {
        let socket = self.folder.path().display().to_string().replace('/', "%2F");
        format!("postgres://ferrule@{socket}/postgres")
    }

    /// Runs statements.
    pub(crate) fn run(&self, statements: &str) -> String {
        let mut shell = Command::new(self.programs.join("psql"));
        shell.args([
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-U",
            "ferrule",
            "-d",
            "postgres",
        ]);
        let ran =
            shell.arg("-h").arg(self.folder.path()).args(["-c", statements]).output().unwrap();
        assert!(ran.status.success(), "{statements}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap().trim().to_owned()
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    fn shell(&self, script: &str, program: &str, arguments: &[&str]) -> Command {
        let mut shell = Command::new("bash");
        shell.args(["-c", script, "shell"]).arg(self.programs.join(program)).args(arguments);
        shell.env("FOLDER", self.folder.path()).current_dir("/");
        shell
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.crash();
    }
}

#[expect(clippy::print_stdout, reason = "a skip is printed")]
fn skipped() {
    assert!(std::env::var_os("FERRULE_CI").is_none(), "PostgreSQL is not installed");
    println!("skipped: PostgreSQL is not installed");
}

/// The folder of the programs of PostgreSQL, which Debian keeps out of the path.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok().into_iter().flatten().flatten();
    let of_debian = versions.map(|version| version.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let all = of_debian.chain(std::env::split_paths(&path));
    let has_all = |folder: &Path| {
        ["initdb", "postgres", "psql"].iter().all(|name| folder.join(name).is_file())
    };
    all.into_iter().filter(|folder| has_all(folder)).max()
}
