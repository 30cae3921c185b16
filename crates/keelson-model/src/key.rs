//! Keys: the names by which people and sources call a configuration item.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Longest key of a configuration item, in bytes of UTF-8.
pub const MAX_KEY_BYTES: usize = 512;
/// Longest key a source may use for a configuration item, in bytes of UTF-8.
pub const MAX_SOURCE_KEY_BYTES: usize = 2_048;

/// Why a key is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// Nothing, or only white space.
    #[error("a key must not be empty")]
    Empty,
    /// Longer than allowed.
    #[error("a key of {bytes} bytes is longer than the {limit} bytes allowed")]
    TooLong {
        /// Bytes given.
        bytes: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// A control character, which no person could see or type.
    #[error("a key must not contain the control character U+{:04X} (at byte {at})", *.character as u32)]
    Control {
        /// The character.
        character: char,
        /// Its byte offset.
        at: usize,
    },
    /// White space before or behind the key.
    #[error("a key must not begin or end with white space: '{key}'")]
    Untrimmed {
        /// The key as given.
        key: String,
    },
}

fn checked(text: &str, limit: usize) -> Result<Arc<str>, KeyError> {
    if text.trim().is_empty() {
        return Err(KeyError::Empty);
    }
    if text.len() > limit {
        return Err(KeyError::TooLong { bytes: text.len(), limit });
    }
    if let Some((at, character)) = text.char_indices().find(|(_, c)| c.is_control()) {
        return Err(KeyError::Control { character, at });
    }
    if text.trim().len() != text.len() {
        return Err(KeyError::Untrimmed { key: text.to_owned() });
    }
    Ok(normalised(text))
}

/// Two spellings that look the same must be the same key: Unicode normalisation form C.
fn normalised(text: &str) -> Arc<str> {
    if is_nfc_quick(text.chars()) == IsNormalized::Yes {
        Arc::from(text)
    } else {
        text.nfc().collect::<String>().into()
    }
}

macro_rules! keys {
    ($($(#[$doc:meta])* $name:ident, $limit:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks and normalises a key.
            ///
            /// # Errors
            /// Refuses empty, over-long and untrimmed keys and keys with control characters.
            pub fn new(text: &str) -> Result<Self, KeyError> {
                checked(text, $limit).map(Self)
            }

            /// The key.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = KeyError;

            fn from_str(text: &str) -> Result<Self, KeyError> {
                Self::new(text)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
                Self::new(&text).map_err(serde::de::Error::custom)
            }
        }
    )*};
}

keys! {
    /// The human, stable, unique name of a configuration item, for example `service/payments`.
    /// At most [`MAX_KEY_BYTES`] bytes.
    CiKey, MAX_KEY_BYTES;
    /// What a source itself calls a configuration item: an ARN, a uid, an address in a state file.
    /// Unique per source. At most [`MAX_SOURCE_KEY_BYTES`] bytes.
    SourceKey, MAX_SOURCE_KEY_BYTES;
}

impl CiKey {
    /// Builds `class/name`, the form keys of imported configuration items take, replacing what a
    /// key may not contain and shortening an over-long name by a digest of the whole.
    #[must_use]
    pub fn of(class: &str, name: &str) -> Self {
        use sha2::{Digest, Sha256};
        let clean: String = name.trim().chars().map(|c| if c.is_control() { '_' } else { c }).collect();
        let clean = if clean.is_empty() { "unnamed".to_owned() } else { clean };
        let text = format!("{class}/{clean}");
        if let Ok(key) = Self::new(&text) {
            return key;
        }
        let digest = Sha256::digest(text.as_bytes());
        let mut end = MAX_KEY_BYTES - 20;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let short = format!("{}~{}", text[..end].trim_end(), hex(&digest[..8]));
        Self(normalised(&short))
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_checked_and_normalised() {
        assert_eq!(CiKey::new("  "), Err(KeyError::Empty));
        assert!(matches!(CiKey::new("a\u{0}b"), Err(KeyError::Control { character: '\0', at: 1 })));
        assert!(matches!(CiKey::new(&"x".repeat(513)), Err(KeyError::TooLong { bytes: 513, .. })));
        assert!(matches!(CiKey::new(" a"), Err(KeyError::Untrimmed { .. })));
        assert_eq!(CiKey::new("cafe\u{301}"), CiKey::new("caf\u{e9}"));
    }

    #[test]
    fn a_key_can_be_made_of_any_name() {
        assert_eq!(CiKey::of("service", "payments").as_str(), "service/payments");
        assert_eq!(CiKey::of("service", "a\nb").as_str(), "service/a_b");
        let long = "ä".repeat(600);
        let key = CiKey::of("service", &long);
        assert!(key.len() <= MAX_KEY_BYTES);
        assert_ne!(key, CiKey::of("service", &format!("{long}b")));
    }
}
