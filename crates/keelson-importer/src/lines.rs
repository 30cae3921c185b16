//! Lines of a stream, numbered and bounded.

use std::io::{self, BufRead};

use thiserror::Error;

/// A line that cannot be given.
#[derive(Debug, Error)]
pub enum LineError {
    /// Longer than allowed; it was passed over without being held, and reading goes on behind it.
    #[error("the row has {bytes} bytes, but at most {limit} are read")]
    TooLong {
        /// Bytes of the row, its line end left out as far as it is `\n`.
        bytes: u64,
        /// Bytes allowed.
        limit: usize,
    },
    /// The stream failed; nothing follows.
    #[error("failed to read the row: {0}")]
    Io(#[from] io::Error),
}

/// The lines of a stream. Holds at most one line, and of that at most the limit.
pub struct Lines<R> {
    reader: R,
    limit: usize,
    number: u32,
    line: Vec<u8>,
    done: bool,
}

/// Reads a stream line by line; a line longer than `row_limit` bytes is one error with its number.
pub fn lines<R: BufRead>(reader: R, row_limit: usize) -> Lines<R> {
    Lines { reader, limit: row_limit, number: 0, line: Vec::new(), done: false }
}

impl<R: BufRead> Lines<R> {
    /// The next line with its number, counted from 1, without its line end (`\n` or `\r\n`).
    /// Avoids the copy that iterating makes.
    pub fn next_line(&mut self) -> Option<(u32, Result<&[u8], LineError>)> {
        if self.done {
            return None;
        }
        self.line.clear();
        let mut bytes: u64 = 0;
        let ended = loop {
            let available = match self.reader.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    self.done = true;
                    return Some((self.number.saturating_add(1), Err(LineError::Io(error))));
                }
            };
            if available.is_empty() {
                break false;
            }
            let newline = memchr(available);
            let part = &available[..newline.unwrap_or(available.len())];
            bytes += part.len() as u64;
            // One byte more than the limit, because it may be the `\r` of the line end.
            if bytes <= self.limit as u64 + 1 {
                self.line.extend_from_slice(part);
            }
            let used = part.len() + usize::from(newline.is_some());
            self.reader.consume(used);
            if newline.is_some() {
                break true;
            }
        };
        if !ended {
            self.done = true;
            if bytes == 0 {
                return None;
            }
        }
        self.number = self.number.saturating_add(1);
        if bytes == self.line.len() as u64 && self.line.last() == Some(&b'\r') {
            self.line.pop();
            bytes -= 1;
        }
        if bytes > self.limit as u64 {
            return Some((self.number, Err(LineError::TooLong { bytes, limit: self.limit })));
        }
        Some((self.number, Ok(&self.line)))
    }
}

fn memchr(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte == b'\n')
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = (u32, Result<Vec<u8>, LineError>);

    fn next(&mut self) -> Option<Self::Item> {
        self.next_line().map(|(number, line)| (number, line.map(<[u8]>::to_vec)))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Read};

    use super::*;

    fn read(text: &str, limit: usize) -> Vec<(u32, Result<String, String>)> {
        lines(BufReader::with_capacity(3, text.as_bytes()), limit)
            .map(|(number, line)| {
                (number, line.map(|bytes| String::from_utf8(bytes).unwrap()).map_err(|error| error.to_string()))
            })
            .collect()
    }

    #[test]
    fn lines_are_numbered_and_bounded() {
        let ok = |number, text: &str| (number, Ok(text.to_owned()));
        let long = |number, bytes: u64| (number, Err(LineError::TooLong { bytes, limit: 4 }.to_string()));
        assert_eq!(read("", 4), []);
        assert_eq!(read("a\n\nb", 4), [ok(1, "a"), ok(2, ""), ok(3, "b")]);
        assert_eq!(read("abcd\r\nabcde\nabcde\r\nx\n", 4), [ok(1, "abcd"), long(2, 5), long(3, 6), ok(4, "x")]);
        assert_eq!(read("a\rb\n", 4), [ok(1, "a\rb")]);
        assert_eq!(read("abcdefghijkl", 4), [long(1, 12)]);
    }

    #[test]
    fn an_endless_line_is_not_held() {
        let endless = BufReader::new(io::repeat(b'x').take(64 << 20)).chain(&b"\nlast"[..]);
        let mut lines = lines(endless, 1 << 10);
        assert!(matches!(lines.next_line(), Some((1, Err(LineError::TooLong { bytes, .. }))) if bytes == 64 << 20));
        assert!(lines.line.capacity() < 1 << 20);
        assert!(matches!(lines.next_line(), Some((2, Ok(b"last")))));
        assert!(lines.next_line().is_none());
    }

    #[test]
    fn a_failing_stream_ends_once() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("unplugged"))
            }
        }
        let read: Vec<_> = lines(BufReader::new((&b"a\nb"[..]).chain(Broken)), 10).collect();
        assert_eq!(read.len(), 2);
        assert!(matches!(read[1], (2, Err(LineError::Io(_)))));
    }
}
