//! Points packed into few bytes: times and values each as a stream of `pco`, which finds what they have in common.
//!
//! A part is the length of its times as four bytes, little end first, its times, its values.

use pco::ChunkConfig;
use pco::standalone::{simple_compress, simple_decompress};
use thiserror::Error;

use crate::Point;

/// Why points cannot be packed or unpacked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("points cannot be read back: {0}")]
pub struct PackError(String);

/// Bytes before the times.
const HEAD: usize = 4;

/// Packs points.
///
/// # Errors
/// When there are more than one stream holds.
pub fn pack(points: &[Point]) -> Result<Vec<u8>, PackError> {
    let times: Vec<i64> = points.iter().map(|(at, _)| *at).collect();
    let values: Vec<f64> = points.iter().map(|(_, value)| *value).collect();
    let failed = |error: pco::errors::PcoError| PackError(error.to_string());
    let times = simple_compress(&times, &ChunkConfig::default()).map_err(failed)?;
    let values = simple_compress(&values, &ChunkConfig::default()).map_err(failed)?;
    let length = u32::try_from(times.len()).map_err(|_| PackError("there are too many times".to_owned()))?;
    let mut packed = Vec::with_capacity(HEAD + times.len() + values.len());
    packed.extend_from_slice(&length.to_le_bytes());
    packed.extend(times);
    packed.extend(values);
    Ok(packed)
}

/// Unpacks points.
///
/// # Errors
/// When the bytes are not those of packed points, or of other points than said.
pub fn unpack(packed: &[u8], points: u64) -> Result<Vec<Point>, PackError> {
    let short = || PackError("the bytes end too early".to_owned());
    let head: [u8; HEAD] = packed.get(..HEAD).and_then(|head| head.try_into().ok()).ok_or_else(short)?;
    let length = u32::from_le_bytes(head) as usize;
    let times = packed.get(HEAD..HEAD + length).ok_or_else(short)?;
    let values = packed.get(HEAD + length..).ok_or_else(short)?;
    let failed = |error: pco::errors::PcoError| PackError(error.to_string());
    let times: Vec<i64> = simple_decompress(times).map_err(failed)?;
    let values: Vec<f64> = simple_decompress(values).map_err(failed)?;
    if times.len() != values.len() || times.len() as u64 != points {
        return Err(PackError(format!(
            "there are {} times and {} values for {points} points",
            times.len(),
            values.len()
        )));
    }
    Ok(times.into_iter().zip(values).collect())
}
