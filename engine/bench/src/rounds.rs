//! The same measured several times, in turns with what stands beside it: on a shared machine one time is a guess.
//!
//! Not here: what is measured.

use std::fmt;

/// Rounds unless told otherwise, and at most.
pub const ROUNDS: usize = 3;
pub const ROUNDS_MAX: usize = 50;

#[derive(Debug, Default)]
pub struct Rounds(Vec<f64>);

impl Rounds {
    pub fn add(&mut self, value: f64) {
        self.0.push(value);
        self.0.sort_by(f64::total_cmp);
    }

    /// The upper one of two middles; 0 before the first round.
    pub fn median(&self) -> f64 {
        self.0.get(self.0.len() / 2).copied().unwrap_or_default()
    }
}

/// The lowest, the median and the highest; one number after one round.
impl fmt::Display for Rounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0[..] {
            [low, .., high] => write!(f, "{low:.0}…{:.0}…{high:.0}", self.median()),
            _ => write!(f, "{:.0}", self.median()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Rounds;

    #[test]
    fn a_round_that_was_disturbed_moves_the_spread_and_not_the_median() {
        let mut rounds = Rounds::default();
        assert!(rounds.median().abs() < f64::EPSILON);
        rounds.add(100.0);
        assert_eq!(rounds.to_string(), "100");
        rounds.add(20.0);
        rounds.add(110.0);
        assert_eq!(rounds.to_string(), "20…100…110");
    }
}
