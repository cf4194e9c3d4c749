//! Ranges of scores and of names, as commands give them.

/// Scores between two bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreRange {
    /// The lower bound; not NaN.
    pub min: f64,
    /// The upper bound; not NaN.
    pub max: f64,
    /// Whether the lower bound itself lies outside.
    pub without_min: bool,
    /// Whether the upper bound itself lies outside.
    pub without_max: bool,
}

impl ScoreRange {
    /// Whether a score comes before the range.
    #[inline]
    pub fn is_below(&self, score: f64) -> bool {
        score < self.min || self.without_min && score == self.min
    }

    /// Whether a score comes after the range.
    #[inline]
    pub fn is_above(&self, score: f64) -> bool {
        score > self.max || self.without_max && score == self.max
    }
}

/// One end of a range of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LexBound<'a> {
    /// `-`: before every name.
    First,
    /// `+`: after every name.
    Last,
    /// `[name`: the name itself lies inside.
    With(&'a [u8]),
    /// `(name`: it lies outside.
    Without(&'a [u8]),
}

/// Names between two bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LexRange<'a> {
    /// The lower bound.
    pub min: LexBound<'a>,
    /// The upper bound.
    pub max: LexBound<'a>,
}

impl LexRange<'_> {
    /// Whether a name comes before the range.
    #[inline]
    pub fn is_below(&self, name: &[u8]) -> bool {
        match self.min {
            LexBound::First => false,
            LexBound::Last => true,
            LexBound::With(bound) => name < bound,
            LexBound::Without(bound) => name <= bound,
        }
    }

    /// Whether a name comes after the range.
    #[inline]
    pub fn is_above(&self, name: &[u8]) -> bool {
        match self.max {
            LexBound::First => true,
            LexBound::Last => false,
            LexBound::With(bound) => name > bound,
            LexBound::Without(bound) => name >= bound,
        }
    }
}
