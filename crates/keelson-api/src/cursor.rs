//! Cursors: opaque, authenticated, and good after a restart.
//!
//! A cursor holds the sort key of the entry it stands behind, the list and order it was made for,
//! and the time the list is about. Its seal is an HMAC with SHA-256 (RFC 2104), so that a client
//! can neither read a position into it nor make one up.

use std::fs;
use std::io;
use std::path::Path;

use chrono::{DateTime, Utc};
use keelson_app::system::RandomIds;
use keelson_model::IdSource;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use crate::errors::{Code, Refusal};

/// Bytes of the seal that a cursor carries.
const SEAL_BYTES: usize = 16;
/// Longest cursor that is looked at.
const MOST_CHARACTERS: usize = 16 << 10;
/// Bytes of a block of SHA-256.
const BLOCK: usize = 64;

/// The key cursors are sealed with.
#[derive(Clone)]
pub struct CursorKey([u8; 32]);

/// What a cursor says besides the key of its entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListName {
    /// Which list: `ConfigurationItem.dependencies`.
    pub list: &'static str,
    /// In which order.
    pub order: String,
    /// The time in the past it is about.
    pub as_of: Option<DateTime<Utc>>,
}

#[derive(Serialize, Deserialize)]
struct Content<K> {
    l: String,
    o: String,
    t: Option<DateTime<Utc>>,
    k: K,
}

impl CursorKey {
    /// A key of these bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A new key from the system's randomness.
    #[must_use]
    pub fn random() -> Self {
        // Each identifier brings 80 fresh bits; five of them are more than the key holds.
        let mut digest = Sha256::new();
        for _ in 0..5 {
            digest.update(RandomIds::new().next_ulid().to_bytes());
        }
        Self(digest.finalize().into())
    }

    /// The key kept in a folder, made when there is none, readable to its owner only.
    ///
    /// # Errors
    /// Fails when the file cannot be read or written, or holds something else.
    pub fn in_folder(folder: &Path) -> io::Result<Self> {
        let path = folder.join("cursor.key");
        match fs::read(&path) {
            Ok(bytes) => bytes.try_into().map(Self).map_err(|_| {
                let message = format!("{} does not hold a key of 32 bytes; remove it to get a new one", path.display());
                io::Error::new(io::ErrorKind::InvalidData, message)
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = Self::random();
                let mut options = fs::OpenOptions::new();
                options.write(true).create_new(true);
                #[cfg(unix)]
                std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
                let mut file = options.open(&path)?;
                io::Write::write_all(&mut file, &key.0)?;
                file.sync_all()?;
                Ok(key)
            }
            Err(error) => Err(error),
        }
    }

    /// HMAC-SHA-256 of a message.
    fn hmac(&self, message: &[u8]) -> [u8; 32] {
        let padded = |pad: u8| {
            let mut block = [pad; BLOCK];
            block.iter_mut().zip(self.0).for_each(|(byte, key)| *byte ^= key);
            block
        };
        let inner = Sha256::new().chain_update(padded(0x36)).chain_update(message).finalize();
        Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize().into()
    }

    /// The cursor of an entry.
    ///
    /// # Panics
    /// Never: sort keys are strings, numbers and values, which serialise.
    #[must_use]
    pub fn seal<K: Serialize>(&self, name: &ListName, key: &K) -> String {
        let content = Content { l: name.list.to_owned(), o: name.order.clone(), t: name.as_of, k: key };
        let content = serde_json::to_vec(&content).expect("sort keys serialise");
        let seal = self.hmac(&content);
        hex(&seal[..SEAL_BYTES]) + &hex(&content)
    }

    /// The sort key of the entry a cursor stands for.
    ///
    /// # Errors
    /// `BAD_CURSOR` when it was not made here, or for another list, order or time.
    pub fn open<K: DeserializeOwned>(&self, name: &ListName, cursor: &str) -> Result<K, Refusal> {
        let bad = |why: &str| Refusal::new(Code::BadCursor, format!("the cursor {why}; begin again without it"));
        if cursor.len() > MOST_CHARACTERS {
            return Err(bad("was not made by this server"));
        }
        let bytes = unhex(cursor).filter(|bytes| bytes.len() > SEAL_BYTES);
        let bytes = bytes.ok_or_else(|| bad("was not made by this server"))?;
        let (seal, content) = bytes.split_at(SEAL_BYTES);
        let expected = self.hmac(content);
        // Every byte is compared, so that the time taken says nothing about the seal.
        let differences = seal.iter().zip(&expected).fold(0, |sum, (a, b)| sum | (a ^ b));
        if differences != 0 {
            return Err(bad("was not made by this server"));
        }
        let head: Content<serde::de::IgnoredAny> =
            serde_json::from_slice(content).map_err(|_| bad("is of an earlier version"))?;
        if head.l != name.list || head.o != name.order {
            return Err(bad("was made for another list or order"));
        }
        if head.t != name.as_of {
            return Err(bad("was made for another asOf"));
        }
        let content: Content<K> = serde_json::from_slice(content).map_err(|_| bad("is of an earlier version"))?;
        Ok(content.k)
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(list: &'static str) -> ListName {
        ListName { list, order: "KEY".into(), as_of: None }
    }

    #[test]
    fn hmac_is_that_of_the_standard() {
        // RFC 4231 pads short keys with zeros, so test case 1 reads: twenty times 0x0b, then zeros.
        let mut key = [0; 32];
        key[..20].fill(0x0b);
        let expected = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
        assert_eq!(hex(&CursorKey::new(key).hmac(b"Hi There")), expected);
    }

    #[test]
    fn cursors_hold_against_tampering() {
        let key = CursorKey::new([7; 32]);
        let cursor = key.seal(&name("items"), &("service/a".to_owned(), 3_u32));
        assert_eq!(key.open::<(String, u32)>(&name("items"), &cursor), Ok(("service/a".to_owned(), 3)));
        let code = |list, cursor: &str| key.open::<(String, u32)>(&name(list), cursor).unwrap_err().code;
        assert_eq!(code("others", &cursor), Code::BadCursor);
        for at in 0..cursor.len() {
            let mut bytes = cursor.clone().into_bytes();
            bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
            assert_eq!(code("items", &String::from_utf8(bytes).unwrap()), Code::BadCursor, "at {at}");
        }
        for made_up in ["", "zz", "0", "äö", &cursor[..40]] {
            assert_eq!(code("items", made_up), Code::BadCursor);
        }
        assert!(CursorKey::random().open::<(String, u32)>(&name("items"), &cursor).is_err());
        let past = ListName { as_of: Some(DateTime::UNIX_EPOCH), ..name("items") };
        assert!(key.open::<(String, u32)>(&past, &cursor).is_err());
    }

    #[test]
    fn a_kept_key_is_the_same_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) =
            (CursorKey::in_folder(folder.path()).unwrap(), CursorKey::in_folder(folder.path()).unwrap());
        assert_eq!(first.0, second.0);
        fs::write(folder.path().join("cursor.key"), b"short").unwrap();
        assert!(CursorKey::in_folder(folder.path()).is_err());
    }
}
