//! Reading the files of an import: bounded, in a fixed order, plain or gzipped.

use std::collections::HashSet;
use std::fs;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::limited::{Counter, Limited};

/// How much an import may read.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Largest file as it lies there, bytes.
    pub compressed_bytes: u64,
    /// Largest file when unpacked, bytes.
    pub plain_bytes: u64,
    /// Largest ratio of unpacked to packed size. The first mebibyte unpacked is free, because a
    /// short file of blanks is harmless.
    pub ratio: u64,
    /// Longest row, bytes.
    pub row_bytes: usize,
    /// Deepest nesting.
    pub nesting: usize,
    /// Most files.
    pub files: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            compressed_bytes: 256 << 20,
            plain_bytes: 1 << 30,
            ratio: 100,
            row_bytes: 1 << 20,
            nesting: 64,
            files: 10_000,
        }
    }
}

/// One file of an import.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Its name relative to what was imported, with forward slashes.
    pub name: String,
    origin: Origin,
}

#[derive(Clone, Debug)]
enum Origin {
    Path(PathBuf),
    Bytes(Arc<[u8]>),
}

/// The files of an import, in order of their names.
#[derive(Clone, Debug)]
pub struct Input {
    /// The files.
    pub files: Vec<SourceFile>,
    /// How much may be read of them.
    pub limits: Limits,
}

/// A file that cannot be read.
#[derive(Debug, Error)]
pub enum InputError {
    /// The operating system refused, or the packed data is damaged.
    #[error("failed to read {file}: {source}")]
    Io {
        /// The file.
        file: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Beyond a limit.
    #[error("{file} is refused: {reason}")]
    Limit {
        /// The file.
        file: String,
        /// Which limit, and its value.
        reason: String,
    },
    /// Bytes that are not UTF-8.
    #[error("{file} is not UTF-8 (first bad byte at offset {offset})")]
    Encoding {
        /// The file.
        file: String,
        /// Byte offset.
        offset: usize,
    },
}

impl InputError {
    /// What went wrong while reading a stream that [`SourceFile::open`] gave: a limit stays a
    /// limit, everything else is the operating system's or the unpacker's.
    #[must_use]
    pub fn from_stream(file: &str, error: io::Error) -> Self {
        let reason = error.get_ref().and_then(|inner| inner.downcast_ref::<crate::limited::Exceeded>());
        match reason {
            Some(exceeded) => Self::Limit { file: file.to_owned(), reason: exceeded.to_string() },
            None => Self::Io { file: file.to_owned(), source: error },
        }
    }
}

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];
const BUFFER_BYTES: usize = 64 << 10;

impl SourceFile {
    /// A file held in memory.
    #[must_use]
    pub fn from_bytes(name: &str, content: impl Into<Arc<[u8]>>) -> Self {
        Self { name: name.to_owned(), origin: Origin::Bytes(content.into()) }
    }

    /// Opens the file for streaming, unpacking gzip (recognised by its magic bytes), leaving out
    /// one byte-order mark and stopping with an error at the limits.
    ///
    /// # Errors
    /// Fails when the file cannot be opened or is over a limit. Reading fails likewise;
    /// [`InputError::from_stream`] tells what such an error was.
    pub fn open(&self, limits: &Limits) -> Result<Box<dyn BufRead + Send>, InputError> {
        let failed = |error| InputError::from_stream(&self.name, error);
        let (raw, size): (Box<dyn Read + Send>, u64) = match &self.origin {
            Origin::Path(path) => {
                let file = fs::File::open(path).map_err(failed)?;
                let size = file.metadata().map_or(0, |metadata| metadata.len());
                (Box::new(file), size)
            }
            Origin::Bytes(bytes) => (Box::new(Cursor::new(Arc::clone(bytes))), bytes.len() as u64),
        };
        if size > limits.compressed_bytes {
            let reason = format!("it has {size} bytes, but at most {} are read", limits.compressed_bytes);
            return Err(InputError::Limit { file: self.name.clone(), reason });
        }
        let packed = Counter::default();
        let raw = Limited::new(raw, packed.clone(), limits.compressed_bytes, "bytes as it lies there");
        let mut raw = BufReader::with_capacity(BUFFER_BYTES, raw);
        let is_gzip = starts_with(&mut raw, &GZIP_MAGIC).map_err(failed)?;
        let mut plain: BufReader<Box<dyn Read + Send>> = if is_gzip.matches {
            let unpacked = flate2::bufread::MultiGzDecoder::new(Cursor::new(is_gzip.head).chain(raw));
            let limited = Limited::new(unpacked, Counter::default(), limits.plain_bytes, "bytes unpacked")
                .with_ratio(packed, limits.ratio);
            BufReader::with_capacity(BUFFER_BYTES, Box::new(limited))
        } else {
            let whole = Cursor::new(is_gzip.head).chain(raw);
            let limited = Limited::new(whole, Counter::default(), limits.plain_bytes, "bytes");
            BufReader::with_capacity(BUFFER_BYTES, Box::new(limited))
        };
        let mark = starts_with(&mut plain, &BYTE_ORDER_MARK).map_err(failed)?;
        if mark.matches {
            return Ok(Box::new(plain));
        }
        Ok(Box::new(Cursor::new(mark.head).chain(plain)))
    }

    /// SHA-256 of the file as it lies there, in lower-case hexadecimal: what `sha256sum` prints.
    ///
    /// # Errors
    /// Fails when the file cannot be read.
    pub fn sha256(&self) -> Result<String, InputError> {
        let failed = |source| InputError::Io { file: self.name.clone(), source };
        let mut raw: Box<dyn Read> = match &self.origin {
            Origin::Path(path) => Box::new(fs::File::open(path).map_err(failed)?),
            Origin::Bytes(bytes) => Box::new(Cursor::new(Arc::clone(bytes))),
        };
        let mut digest = Sha256::new();
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            match raw.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => digest.update(&buffer[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Reads the whole file as text, without a byte-order mark.
    ///
    /// # Errors
    /// Fails when it cannot be read, is over a limit or is not UTF-8.
    pub fn text(&self, limits: &Limits) -> Result<String, InputError> {
        let mut bytes = Vec::new();
        let mut reader = self.open(limits)?;
        reader.read_to_end(&mut bytes).map_err(|error| InputError::from_stream(&self.name, error))?;
        String::from_utf8(bytes)
            .map_err(|error| InputError::Encoding { file: self.name.clone(), offset: error.utf8_error().valid_up_to() })
    }
}

/// The first bytes of a stream, already taken from it.
struct Head {
    matches: bool,
    head: Vec<u8>,
}

/// Takes as many bytes as `magic` has and compares them.
fn starts_with(reader: &mut impl Read, magic: &[u8]) -> io::Result<Head> {
    let mut head = Vec::with_capacity(magic.len());
    reader.by_ref().take(magic.len() as u64).read_to_end(&mut head)?;
    Ok(Head { matches: head == magic, head })
}

impl Input {
    /// Files held in memory, for tests and for what is shipped inside the binary.
    #[must_use]
    pub fn from_files(mut files: Vec<SourceFile>) -> Self {
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Self { files, limits: Limits::default() }
    }

    /// Finds the files under the paths given: a file is taken as it is, a folder is walked without
    /// following symbolic links, hidden files are left out.
    ///
    /// Files are named relative to the path they were found under. Where two would have one name,
    /// all are named with as many folders around those paths as tell them apart. How a path is
    /// written (`states`, `./states`, whole) makes no difference to the names.
    ///
    /// # Errors
    /// Fails when a path does not exist or there are too many files.
    pub fn from_paths(paths: &[PathBuf], limits: Limits) -> Result<Self, InputError> {
        let mut found: Vec<Found> = Vec::new();
        let mut seen = HashSet::new();
        for path in paths {
            let shown = path.display().to_string();
            let failed = |source| InputError::Io { file: shown.clone(), source };
            let is_folder = fs::metadata(path).map_err(failed)?.is_dir();
            let below = if is_folder { walk(path, &limits)? } else { vec![path.clone()] };
            let base = if is_folder { path.as_path() } else { path.parent().unwrap_or(Path::new("")) };
            let written = if base.as_os_str().is_empty() { Path::new(".") } else { base };
            let whole = fs::canonicalize(written).map_err(failed)?;
            let around: Arc<[String]> = whole.components().filter_map(folder_name).collect();
            for file in below {
                let name = file.strip_prefix(base).unwrap_or(&file);
                if seen.insert(whole.join(name)) {
                    found.push(Found { name: forward(name), around: Arc::clone(&around), path: file });
                }
            }
            if found.len() > limits.files {
                return Err(too_many(&shown, &limits));
            }
        }
        let most = found.iter().map(|file| file.around.len()).max().unwrap_or(0);
        let clash = |folders: &usize| {
            let mut names = HashSet::new();
            found.iter().any(|file| !names.insert(file.named_with(*folders)))
        };
        let folders = (0..most).find(|folders| !clash(folders)).unwrap_or(most);
        let file = |found: Found| SourceFile { name: found.named_with(folders), origin: Origin::Path(found.path) };
        let mut files: Vec<_> = found.into_iter().map(file).collect();
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self { files, limits })
    }
}

/// A file that was found.
struct Found {
    /// Its name relative to the path it was found under.
    name: String,
    /// The folders that path lies in, outermost first, its own name last.
    around: Arc<[String]>,
    path: PathBuf,
}

impl Found {
    /// Its name with some of the folders around it.
    fn named_with(&self, folders: usize) -> String {
        let first = self.around.len().saturating_sub(folders);
        let mut parts: Vec<&str> = self.around[first..].iter().map(String::as_str).collect();
        parts.push(&self.name);
        parts.join("/")
    }
}

fn folder_name(component: Component<'_>) -> Option<String> {
    match component {
        Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        _ => None,
    }
}

fn too_many(shown: &str, limits: &Limits) -> InputError {
    let reason = format!("there are more than {} files; import fewer at once", limits.files);
    InputError::Limit { file: shown.to_owned(), reason }
}

/// Every visible regular file under a folder, in no particular order.
fn walk(folder: &Path, limits: &Limits) -> Result<Vec<PathBuf>, InputError> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        let failed = |source| InputError::Io { file: at.display().to_string(), source };
        for entry in fs::read_dir(&at).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            // The type of the entry itself: a symbolic link is neither file nor folder here.
            let kind = entry.file_type().map_err(failed)?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
                if files.len() > limits.files {
                    return Err(too_many(&folder.display().to_string(), limits));
                }
            }
        }
    }
    Ok(files)
}

/// A path with forward slashes, for names that are the same on every machine.
fn forward(path: &Path) -> String {
    let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    parts.join("/").replace("//", "/")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn text_of(content: Vec<u8>, limits: &Limits) -> Result<String, InputError> {
        SourceFile::from_bytes("f", content).text(limits)
    }

    #[test]
    fn plain_and_packed_files_read_the_same() {
        let limits = Limits::default();
        for content in ["", "a", "ab", "abc", "abcd", "\u{feff}abc", "grün\n"] {
            let plain = text_of(content.as_bytes().to_vec(), &limits).unwrap();
            assert_eq!(plain, content.trim_start_matches('\u{feff}'));
            assert_eq!(text_of(gzip(content.as_bytes()), &limits).unwrap(), plain);
        }
        let empty = SourceFile::from_bytes("f", Vec::new()).sha256().unwrap();
        assert_eq!(empty, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        let two_members = [gzip(b"a"), gzip(b"b")].concat();
        assert_eq!(text_of(two_members, &limits).unwrap(), "ab");
        // Only one mark is a mark; a second one is content.
        assert_eq!(text_of("\u{feff}\u{feff}x".as_bytes().to_vec(), &limits).unwrap(), "\u{feff}x");
    }

    #[test]
    fn limits_are_kept() {
        let small = Limits { compressed_bytes: 10, plain_bytes: 20, ..Limits::default() };
        assert!(matches!(text_of(vec![b'a'; 11], &small), Err(InputError::Limit { .. })));
        let plain = Limits { plain_bytes: 20, ..Limits::default() };
        let error = text_of(gzip(&[b'a'; 21]), &plain).unwrap_err();
        assert_eq!(error.to_string(), "f is refused: it has more than 20 bytes unpacked");
        assert!(text_of(gzip(&[b'a'; 20]), &plain).is_ok());
        let bomb = gzip(&vec![0; 8 << 20]);
        let error = text_of(bomb, &Limits::default()).unwrap_err();
        assert!(error.to_string().contains("more than 100 times"), "{error}");
    }

    #[test]
    fn damaged_files_are_refused() {
        let limits = Limits::default();
        let mut cut = gzip(b"something longer than nothing");
        cut.truncate(cut.len() - 4);
        assert!(matches!(text_of(cut, &limits), Err(InputError::Io { .. })));
        assert!(matches!(text_of(b"ab\xff".to_vec(), &limits), Err(InputError::Encoding { offset: 2, .. })));
        assert!(text_of(b"\xff\xfea\0".to_vec(), &limits).is_err());
    }

    #[test]
    fn files_of_one_name_are_told_apart_however_their_folders_are_written() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["prod/net", "test/net"] {
            fs::create_dir_all(at(name)).unwrap();
            fs::write(at(name).join("a.json"), name).unwrap();
        }
        let names = |paths: &[&str]| {
            let paths: Vec<_> = paths.iter().map(|path| at(path)).collect();
            let input = Input::from_paths(&paths, Limits::default()).unwrap();
            input.files.into_iter().map(|file| file.name).collect::<Vec<_>>()
        };
        assert_eq!(names(&["prod", "prod/../prod"]), ["net/a.json"], "once is enough");
        assert_eq!(names(&["prod", "./test"]), ["prod/net/a.json", "test/net/a.json"]);
        let expected = ["prod/net/a.json", "test/net/a.json"];
        assert_eq!(names(&["prod/net", "test/net"]), expected);
        assert_eq!(names(&["prod/net/a.json", "prod/../test/net/a.json"]), expected);
    }

    #[test]
    fn folders_are_walked_in_name_order() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("b/c")).unwrap();
        fs::create_dir_all(at(".git")).unwrap();
        for name in ["z.yaml", "b/c/x.yaml", "b/a.yaml", ".hidden", ".git/config"] {
            fs::write(at(name), name).unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(folder.path(), at("b/loop")).unwrap();
        let names = |input: Input| input.files.into_iter().map(|file| file.name).collect::<Vec<_>>();
        let root = folder.path().to_owned();
        let input = Input::from_paths(std::slice::from_ref(&root), Limits::default()).unwrap();
        assert_eq!(input.files[1].text(&input.limits).unwrap(), "b/c/x.yaml");
        assert_eq!(names(input), ["b/a.yaml", "b/c/x.yaml", "z.yaml"]);
        let twice = Input::from_paths(&[root.clone(), at("z.yaml")], Limits::default()).unwrap();
        assert_eq!(names(twice), ["b/a.yaml", "b/c/x.yaml", "z.yaml"]);
        let odd = folder.path().join("b/../b/c/..");
        assert_eq!(names(Input::from_paths(&[odd], Limits::default()).unwrap()), ["a.yaml", "c/x.yaml"]);
        let few = Limits { files: 2, ..Limits::default() };
        assert!(matches!(Input::from_paths(&[root], few), Err(InputError::Limit { .. })));
        assert!(matches!(Input::from_paths(&[at("none")], Limits::default()), Err(InputError::Io { .. })));
    }
}
