//! How many units of one thing a unit of each of several others takes, going by their series.
//!
//! The measured load of an item is explained as a sum of the loads of those that use it, each times
//! a factor that cannot be negative: `min ‖A·x − y‖, x ≥ 0` (Lawson and Hanson 1974, chapter 23).
//! What comes out is *inferred*, not measured; [`Fit::determination`] says how much of the
//! load it explains, and [`Fit::undetermined`] which factors the series cannot tell apart.

use crate::{ForecastError, statistics::real};

/// Factors found from series.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// One factor per column, none below 0.
    pub factors: Vec<f64>,
    /// How much of the variation the fit explains: 1 − residual sum of squares / total sum of squares
    /// about the mean. Below 0 for a fit worse than the mean; `None` for a load that does not vary.
    pub determination: Option<f64>,
    /// The root of the mean squared residual, in the unit of the load explained.
    pub error: f64,
    /// Points in time at which load and all columns were known.
    pub points: usize,
    /// Columns left at 0 because they move together with columns that were used: their factors cannot
    /// be told apart.
    pub undetermined: Vec<usize>,
    /// Whether the best factors were found; `false` only if rounding kept the search going in a circle.
    pub is_settled: bool,
}

/// A column is taken to depend on others when less than this part of its square is its own.
const DEPENDENT: f64 = 1e-10;

/// Finds the factors, none below 0, with which the columns add up to the load as closely as can be.
///
/// Points at which the load or a column has a gap are left out. Columns of zeros get the factor 0.
/// Costs O(points · columns²) and O(columns³) a round, about one round a column.
///
/// # Errors
/// When a column is not as long as the load, a value is infinite, or fewer points are complete than
/// there are columns.
pub fn fit(columns: &[&[f64]], load: &[f64]) -> Result<Fit, ForecastError> {
    let system = System::of(columns, load)?;
    let size = columns.len();
    let mut search = Search {
        system: &system,
        passive: Vec::new(),
        factor: Factor::default(),
        x: vec![0.0; size],
        barred: vec![false; size],
    };
    let is_settled = search.run();
    let undetermined = (0..size).filter(|&column| search.is_undetermined(column)).collect();
    let factors: Vec<f64> = search.x.iter().zip(&system.scale).map(|(x, scale)| x / scale).collect();

    let (mut residual, mut total) = (0.0, 0.0);
    let mean = system.rows.iter().map(|&row| load[row]).sum::<f64>() / real(system.rows.len());
    for &row in &system.rows {
        let met: f64 = columns.iter().zip(&factors).map(|(column, factor)| column[row] * factor).sum();
        residual += (load[row] - met).powi(2);
        total += (load[row] - mean).powi(2);
    }
    let determination = (total > 0.0).then(|| 1.0 - residual / total);
    let error = (residual / real(system.rows.len())).sqrt();
    Ok(Fit { factors, determination, error, points: system.rows.len(), undetermined, is_settled })
}

/// The normal equations, columns scaled to length 1.
struct System {
    /// AᵀA, row by row.
    square: Vec<f64>,
    /// Aᵀy.
    right: Vec<f64>,
    /// The length of each column.
    scale: Vec<f64>,
    /// The complete points.
    rows: Vec<usize>,
}

impl System {
    fn of(columns: &[&[f64]], load: &[f64]) -> Result<Self, ForecastError> {
        for column in columns {
            if column.len() != load.len() {
                let (have, need) = (column.len(), load.len());
                return Err(ForecastError::WrongLength { what: "a column of the fit", have, need });
            }
        }
        if let Some(&value) = columns.iter().copied().chain([load]).flatten().find(|value| value.is_infinite()) {
            return Err(ForecastError::BadNumber {
                what: "a value of a series",
                value,
                wanted: "finite, or NaN for a gap",
            });
        }
        let complete = |row: &usize| !load[*row].is_nan() && columns.iter().all(|column| !column[*row].is_nan());
        let rows: Vec<usize> = (0..load.len()).filter(complete).collect();
        if rows.len() < columns.len().max(1) {
            return Err(ForecastError::TooShort { have: rows.len(), need: columns.len().max(1) });
        }
        let dot = |a: &[f64], b: &[f64]| rows.iter().map(|&row| a[row] * b[row]).sum::<f64>();
        let scale: Vec<f64> = columns.iter().map(|column| dot(column, column).sqrt()).collect();
        let scale: Vec<f64> = scale.into_iter().map(|length| if length > 0.0 { length } else { 1.0 }).collect();
        let size = columns.len();
        let mut square = vec![0.0; size * size];
        for i in 0..size {
            for j in 0..=i {
                let value = dot(columns[i], columns[j]) / (scale[i] * scale[j]);
                (square[i * size + j], square[j * size + i]) = (value, value);
            }
        }
        let right = columns.iter().zip(&scale).map(|(column, scale)| dot(column, load) / scale).collect();
        Ok(Self { square, right, scale, rows })
    }

    /// How fast the fit would improve if a factor rose: (Aᵀ(y − A·x)) of that column.
    fn gain(&self, column: usize, x: &[f64]) -> f64 {
        let row = &self.square[column * x.len()..(column + 1) * x.len()];
        self.right[column] - row.iter().zip(x).map(|(a, x)| a * x).sum::<f64>()
    }
}

/// The Cholesky factor of the normal equations over some columns, row by row.
#[derive(Default)]
struct Factor {
    rows: Vec<Vec<f64>>,
}

impl Factor {
    /// Factors anew; `None` if the columns depend on each other.
    fn of(system: &System, columns: &[usize]) -> Option<Self> {
        let mut factor = Self::default();
        for at in 0..columns.len() {
            let (mut row, own) = factor.reduce(system, &columns[..at], columns[at]);
            if own <= DEPENDENT {
                return None;
            }
            row.push(own.sqrt());
            factor.rows.push(row);
        }
        Some(factor)
    }

    /// The row a further column would have, and how much of its square is its own.
    fn reduce(&self, system: &System, columns: &[usize], further: usize) -> (Vec<f64>, f64) {
        let size = system.right.len();
        let mut row: Vec<f64> = columns.iter().map(|&column| system.square[further * size + column]).collect();
        self.forward(&mut row);
        let own = system.square[further * size + further] - row.iter().map(|value| value * value).sum::<f64>();
        (row, own)
    }

    fn forward(&self, x: &mut [f64]) {
        for (i, row) in self.rows.iter().enumerate() {
            let known: f64 = row[..i].iter().zip(&x[..i]).map(|(a, x)| a * x).sum();
            x[i] = (x[i] - known) / row[i];
        }
    }

    fn backward(&self, x: &mut [f64]) {
        for i in (0..self.rows.len()).rev() {
            let known: f64 = (i + 1..self.rows.len()).map(|k| self.rows[k][i] * x[k]).sum();
            x[i] = (x[i] - known) / self.rows[i][i];
        }
    }
}

struct Search<'a> {
    system: &'a System,
    /// Columns whose factor may be above 0, and their equations factored.
    passive: Vec<usize>,
    factor: Factor,
    x: Vec<f64>,
    /// Columns that were let in and left at once; they wait until something else has changed.
    barred: Vec<bool>,
}

impl Search<'_> {
    /// Lets in the most promising column until none promises anything; whether that came to an end.
    fn run(&mut self) -> bool {
        let size = self.x.len();
        let enough = 1e-12 * self.system.right.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
        for _ in 0..3 * size + 10 {
            let candidates = (0..size).filter(|column| !self.passive.contains(column) && !self.barred[*column]);
            let promising = candidates.map(|column| (self.system.gain(column, &self.x), column));
            let best = promising.max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
            let Some((_, column)) = best.filter(|(gain, _)| *gain > enough) else { return true };
            self.passive.push(column);
            self.settle(column);
        }
        false
    }

    /// Solves over the columns let in, and lets those out again whose factor would fall below 0.
    fn settle(&mut self, newest: usize) {
        loop {
            let Some(found) = self.solve() else {
                self.bar(newest);
                return;
            };
            let newest_falls = |(&column, found): (&usize, &f64)| column == newest && *found <= 0.0;
            if self.x[newest] == 0.0 && self.passive.iter().zip(&found).any(newest_falls) {
                self.bar(newest);
                return;
            }
            let falling = self.passive.iter().zip(&found).filter(|(_, found)| **found <= 0.0);
            let step = falling.map(|(&column, found)| self.x[column] / (self.x[column] - found)).min_by(f64::total_cmp);
            let reach = step.unwrap_or(1.0);
            for (&column, &found) in self.passive.iter().zip(&found) {
                let from = self.x[column];
                // What limits the step arrives at 0 exactly.
                let limits = found <= 0.0 && from / (from - found) <= reach;
                self.x[column] = if limits { 0.0 } else { from + reach * (found - from) };
            }
            self.barred.fill(false);
            if step.is_none() {
                return;
            }
            let x = &self.x;
            self.passive.retain(|column| x[*column] > 0.0);
        }
    }

    /// The least-squares solution over the columns let in; `None` if they depend on each other.
    fn solve(&mut self) -> Option<Vec<f64>> {
        self.factor = Factor::of(self.system, &self.passive)?;
        let mut x: Vec<f64> = self.passive.iter().map(|&column| self.system.right[column]).collect();
        self.factor.forward(&mut x);
        self.factor.backward(&mut x);
        Some(x)
    }

    fn bar(&mut self, newest: usize) {
        self.passive.retain(|column| *column != newest);
        self.factor = Factor::of(self.system, &self.passive).unwrap_or_default();
        self.barred[newest] = true;
    }

    /// Whether a column left at 0 moves together with those used; a column of zeros does not move.
    fn is_undetermined(&self, column: usize) -> bool {
        let own_square = self.system.square[column * self.x.len() + column];
        let is_left = own_square > 0.0 && !self.passive.contains(&column);
        is_left && self.factor.reduce(self.system, &self.passive, column).1 <= DEPENDENT
    }
}
