//! Running the `keelson` command in a folder of its own.

#![allow(dead_code, reason = "each test file uses a part")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use serde_json::Value as Json;
use tempfile::TempDir;

/// A folder with a store, and files beside it.
pub(crate) struct Place {
    folder: TempDir,
}

/// What a command did.
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// Writes a file and returns its path.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keelson"));
        command.env_remove("RUST_LOG").env("KEELSON_ACTOR", "test").env("KEELSON_DATA", self.data());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.command().args(args).output().unwrap().into()
    }

    /// Runs a command that must succeed.
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!(ran.status, 0, "{args:?}\n{}\n{}", ran.out, ran.err);
        ran.out
    }

    /// Runs a command that must succeed and answer JSON.
    pub(crate) fn json(&self, args: &[&str]) -> Json {
        let mut args = args.to_vec();
        args.extend(["--output", "json"]);
        serde_json::from_str(&self.ok(&args)).unwrap()
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { status: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// The strings of one field of every entry of a list, sorted.
pub(crate) fn each<'a>(list: &'a Json, field: &str) -> Vec<&'a str> {
    let mut found: Vec<&str> = list.as_array().unwrap().iter().map(|entry| entry[field].as_str().unwrap()).collect();
    found.sort_unstable();
    found
}

/// A fixture of these tests.
pub(crate) fn fixture(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name).display().to_string()
}

/// A server as a process of its own.
pub(crate) struct Serving {
    pub(crate) child: Child,
    /// Kept open, so that the server can go on writing.
    log: BufReader<ChildStderr>,
    pub(crate) url: String,
}

impl Serving {
    pub(crate) fn start(place: &Place, args: &[&str]) -> Self {
        let mut command = place.command();
        command.args(args).args(["--listen", "127.0.0.1:0"]).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut serving = Self { child, log, url: String::new() };
        let mut said = String::new();
        while serving.url.is_empty() {
            let mut line = String::new();
            assert_ne!(serving.log.read_line(&mut line).unwrap(), 0, "it ended without serving: {said}");
            if let Some((_, rest)) = line.split_once("http://") {
                serving.url = format!("http://{}", rest.split('/').next().unwrap());
            }
            said += &line;
        }
        serving
    }

    /// Runs a command against it that must succeed and answer JSON.
    pub(crate) fn json(&self, client: &Place, args: &[&str]) -> Json {
        client.json(&[args, &["--server", &self.url]].concat())
    }

    pub(crate) fn run(&self, client: &Place, args: &[&str]) -> Ran {
        client.run(&[args, &["--server", &self.url]].concat())
    }

    /// Asks it to terminate and returns its exit status.
    pub(crate) fn terminate(&mut self) -> Option<i32> {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(told.success());
        let status = self.child.wait().unwrap().code();
        let mut rest = String::new();
        while self.log.read_line(&mut rest).unwrap() > 0 {}
        assert!(rest.contains("stopped"), "{rest}");
        status
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
