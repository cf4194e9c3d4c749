//! What a parameter holds once its words were understood, in one canonical form.
//!
//! A [`Value`] is only made by [`crate::config::kind::Kind::parse`], so its shape always fits its kind. Rows
//! move it into a typed field of `Settings` with the readers below; reading another shape than the kind makes
//! is a mistake in the table and panics (a test runs every row).

/// A parsed parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// yes or no.
    Flag(bool),
    /// A number or a count of bytes.
    Number(i64),
    /// A percentage.
    Percent(u8),
    /// One of the words its kind lists.
    Choice(&'static str),
    /// Bytes as they were given; empty where the parameter is unset.
    Text(Vec<u8>),
    /// Several words.
    Words(Vec<String>),
    /// Several numbers; what they mean is the kind's affair.
    Numbers(Vec<i64>),
    /// Several numbers with fractions.
    Doubles(Vec<f64>),
}

impl Value {
    /// The flag.
    pub fn is_yes(&self) -> bool {
        match self {
            Value::Flag(yes) => *yes,
            other => panic!("the row reads a flag from {other:?}"),
        }
    }

    /// The number in the field's type; the row's range must fit it.
    pub fn number<T: TryFrom<i64>>(&self) -> T {
        let Value::Number(number) = self else {
            panic!("the row reads a number from {self:?}")
        };
        match T::try_from(*number) {
            Ok(fits) => fits,
            Err(_) => panic!("the row's range lets {number} through, which its field cannot hold"),
        }
    }

    /// Exactly `N` numbers in the field's type.
    pub fn numbers<T: TryFrom<i64> + Copy + Default, const N: usize>(&self) -> [T; N] {
        let mut out = [T::default(); N];
        for (slot, number) in out.iter_mut().zip(self.as_numbers()) {
            *slot = Value::Number(*number).number();
        }
        out
    }

    /// The numbers of a list.
    pub fn as_numbers(&self) -> &[i64] {
        match self {
            Value::Numbers(numbers) => numbers,
            other => panic!("the row reads numbers from {other:?}"),
        }
    }

    /// The chosen word.
    pub fn word(&self) -> &'static str {
        match self {
            Value::Choice(word) => word,
            other => panic!("the row reads a choice from {other:?}"),
        }
    }

    /// The words of a list.
    pub fn words(&self) -> Vec<String> {
        match self {
            Value::Words(words) => words.clone(),
            other => panic!("the row reads words from {other:?}"),
        }
    }

    /// The bytes of a text.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Value::Text(bytes) => bytes.clone(),
            other => panic!("the row reads text from {other:?}"),
        }
    }

    /// The text; bytes that are no UTF-8 are replaced.
    pub fn to_text(&self) -> String {
        String::from_utf8_lossy(&self.to_bytes()).into_owned()
    }

    /// The text, or `None` when it is empty, which means unset.
    pub fn optional_text(&self) -> Option<String> {
        Some(self.to_text()).filter(|text| !text.is_empty())
    }
}
