//! Records of a CSV file after RFC 4180: strict about quotes, bounded, with line numbers.
//!
//! Stricter than readers that accept anything: a quote inside an unquoted field or text behind a
//! closing quote usually means a broken export, and taking it literally shifts columns silently.

use std::io::{self, BufRead};

use thiserror::Error;

/// A record that cannot be given.
#[derive(Debug, Error)]
pub(super) enum RecordError {
    #[error("the row has more than {limit} bytes")]
    TooLong { limit: usize },
    #[error("the row is not UTF-8 (in field {field})")]
    Encoding { field: usize },
    #[error("field {field} has a quote where none may be; quote the field and double the quotes in it")]
    Quote { field: usize },
    /// Everything behind is swallowed by the quote, so the file ends here.
    #[error("a quote opened in the row that starts here is not closed within {limit} bytes")]
    Unclosed { limit: usize },
    #[error("failed to read the row: {0}")]
    Io(io::Error),
}

pub(super) struct Records<R> {
    reader: R,
    delimiter: u8,
    limit: usize,
    /// Line ends passed so far.
    passed: u32,
    done: bool,
}

/// Reads records; blank lines are passed over.
pub(super) fn records<R: BufRead>(reader: R, delimiter: u8, limit: usize) -> Records<R> {
    Records { reader, delimiter, limit, passed: 0, done: false }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Plain,
    Quoted,
    /// Behind a quote inside a quoted field: the end of it, or half of a doubled quote.
    Closing,
    /// Behind a `\r` behind a closing quote.
    Return,
}

struct Record {
    fields: Vec<Vec<u8>>,
    field: Vec<u8>,
    state: State,
    bytes: usize,
    bad_quote: Option<usize>,
}

impl Record {
    fn end_field(&mut self) {
        self.fields.push(std::mem::take(&mut self.field));
        self.state = State::Start;
    }

    /// Takes a byte; says whether the record ends with it.
    fn take(&mut self, byte: u8, delimiter: u8) -> bool {
        match (self.state, byte) {
            (State::Quoted, b'"') => self.state = State::Closing,
            (State::Quoted, _) => self.field.push(byte),
            (_, b'\n') => {
                if self.state == State::Plain && self.field.last() == Some(&b'\r') {
                    self.field.pop();
                }
                self.end_field();
                return true;
            }
            (State::Start, b'"') => self.state = State::Quoted,
            (State::Closing, b'"') => {
                self.field.push(b'"');
                self.state = State::Quoted;
            }
            (State::Closing, b'\r') => self.state = State::Return,
            (State::Start | State::Plain | State::Closing, _) if byte == delimiter => self.end_field(),
            (State::Start | State::Plain, _) if byte != b'"' => {
                self.field.push(byte);
                self.state = State::Plain;
            }
            _ => {
                self.bad_quote.get_or_insert(self.fields.len() + 1);
                self.state = State::Plain;
            }
        }
        false
    }

    fn is_blank(&self) -> bool {
        self.fields.len() == 1 && self.fields[0].is_empty() && self.bytes <= 2 && self.bad_quote.is_none()
    }

    fn finish(self, limit: usize) -> Result<Vec<String>, RecordError> {
        if self.bytes > limit {
            return Err(RecordError::TooLong { limit });
        }
        if let Some(field) = self.bad_quote {
            return Err(RecordError::Quote { field });
        }
        let text = |(index, bytes)| String::from_utf8(bytes).map_err(|_| RecordError::Encoding { field: index + 1 });
        self.fields.into_iter().enumerate().map(text).collect()
    }
}

impl<R: BufRead> Records<R> {
    /// The next record, blank or not, with the number of line ends before it.
    fn next_record(&mut self) -> Option<(u32, Result<Record, RecordError>)> {
        let mut record =
            Record { fields: Vec::new(), field: Vec::new(), state: State::Start, bytes: 0, bad_quote: None };
        let started = self.passed;
        loop {
            let available = match self.reader.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Some((started, Err(RecordError::Io(error)))),
            };
            if available.is_empty() {
                self.done = true;
                return match record.state {
                    _ if record.bytes == 0 => None,
                    State::Quoted => Some((started, Err(RecordError::Unclosed { limit: self.limit }))),
                    _ => {
                        record.end_field();
                        Some((started, Ok(record)))
                    }
                };
            }
            let mut used = 0;
            let mut ended = false;
            for byte in available {
                used += 1;
                record.bytes += 1;
                self.passed = self.passed.saturating_add(u32::from(*byte == b'\n'));
                if record.bytes > self.limit {
                    if record.state == State::Quoted {
                        return Some((started, Err(RecordError::Unclosed { limit: self.limit })));
                    }
                    // Too long already: pass over the rest of the line without holding it.
                    record.fields.clear();
                    record.field.clear();
                    ended = *byte == b'\n';
                } else {
                    ended = record.take(*byte, self.delimiter);
                }
                if ended {
                    break;
                }
            }
            self.reader.consume(used);
            if ended {
                return Some((started, Ok(record)));
            }
        }
    }
}

impl<R: BufRead> Iterator for Records<R> {
    type Item = (u32, Result<Vec<String>, RecordError>);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.done {
            match self.next_record()? {
                (_, Ok(record)) if record.is_blank() => {}
                (before, Ok(record)) => return Some((before.saturating_add(1), record.finish(self.limit))),
                (before, Err(error)) => {
                    self.done = true;
                    return Some((before.saturating_add(1), Err(error)));
                }
            }
        }
        None
    }
}

/// Writes a record, quoting where it must be.
pub(super) fn write(to: &mut Vec<u8>, fields: &[String], delimiter: u8) {
    for (index, field) in fields.iter().enumerate() {
        if index > 0 {
            to.push(delimiter);
        }
        if field.bytes().any(|byte| byte == delimiter || matches!(byte, b'"' | b'\r' | b'\n')) {
            to.push(b'"');
            to.extend_from_slice(field.replace('"', "\"\"").as_bytes());
            to.push(b'"');
        } else {
            to.extend_from_slice(field.as_bytes());
        }
    }
    to.push(b'\n');
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn read(text: &[u8]) -> Vec<(u32, Result<Vec<String>, String>)> {
        let records = records(BufReader::with_capacity(2, text), b',', 20);
        records.map(|(line, record)| (line, record.map_err(|error| error.to_string()))).collect()
    }

    fn ok(line: u32, fields: &[&str]) -> (u32, Result<Vec<String>, String>) {
        (line, Ok(fields.iter().map(|field| (*field).to_owned()).collect()))
    }

    #[test]
    fn records_follow_rfc_4180() {
        assert_eq!(read(b""), []);
        assert_eq!(read(b"a,b\r\n1,2\r\n"), [ok(1, &["a", "b"]), ok(2, &["1", "2"])]);
        assert_eq!(read(b"a,\n,b"), [ok(1, &["a", ""]), ok(2, &["", "b"])]);
        assert_eq!(read(b"\"a,\"\"b\"\"\",\"c\nd\"\r\n\r\n\ne"), [ok(1, &["a,\"b\"", "c\nd"]), ok(5, &["e"])]);
        assert_eq!(read(b"\"\",x\n\"a\""), [ok(1, &["", "x"]), ok(2, &["a"])]);
        assert_eq!(read(b"=1+1,-2\n"), [ok(1, &["=1+1", "-2"])]);
    }

    #[test]
    fn broken_records_are_errors_of_their_own() {
        let read = read(b"5\" disk,a\n\"a\"b,c\nok,\xff\nxxxxxxxxxxxxxxxxxxxxxxxxx\nfine\n\"open,1\n2");
        let shape: Vec<_> =
            read.iter().map(|(line, record)| (*line, record.as_ref().err().map_or("", |error| &error[..20]))).collect();
        assert_eq!(
            shape,
            [
                (1, "field 1 has a quote "),
                (2, "field 1 has a quote "),
                (3, "the row is not UTF-8"),
                (4, "the row has more tha"),
                (5, ""),
                (6, "a quote opened in th"),
            ]
        );
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_reads_back(
            fields in proptest::collection::vec("[a-c,\"\r\n]{0,5}", 1..4).prop_filter("a blank line", |f| !f[0].is_empty())
        ) {
            let mut text = Vec::new();
            write(&mut text, &fields, b',');
            let back: Vec<_> = records(&text[..], b',', 1_000).map(|(_, record)| record.unwrap()).collect();
            proptest::prop_assert_eq!(back, vec![fields]);
        }
    }

    use proptest::strategy::Strategy;
}
