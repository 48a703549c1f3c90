//! What can go wrong with the calls of one step: the columns of a runbook's proof.
//!
//! Not here: what becomes of the run (`proof`), and the target itself (`host`).

use crate::scenario::Answer;
use uuid::Uuid;

/// One way in which the calls of a step go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Blow {
    /// The target refuses, however often it is asked.
    Refused,
    /// The call runs into its timeout each time, and nothing has happened.
    Silent,
    /// The effect took place; the worker dies before it hears of it.
    Lost,
    /// The same, and the target cannot say afterwards what happened.
    Forgotten,
    /// The worker sleeps past its lease with the answer in its hand. Another one takes over and delivers the
    /// call again under its key; then the first one wakes up and goes on.
    Twice,
}

impl Blow {
    pub const ALL: [Self; 5] = [
        Self::Refused,
        Self::Silent,
        Self::Lost,
        Self::Forgotten,
        Self::Twice,
    ];

    /// As the heading of a column.
    #[must_use]
    pub fn heading(self) -> &'static str {
        match self {
            Self::Refused => "fails",
            Self::Silent => "never answers",
            Self::Lost => "done, answer lost",
            Self::Forgotten => "the same, and nobody can tell",
            Self::Twice => "delivered twice",
        }
    }

    pub(crate) fn takes_effect(self) -> bool {
        !matches!(self, Self::Refused | Self::Silent)
    }

    pub(crate) fn kills(self) -> bool {
        matches!(self, Self::Lost | Self::Forgotten)
    }

    /// What the target says instead of its effect.
    pub(crate) fn script(self) -> Answer {
        Answer {
            reject: (self == Self::Refused).then(|| "refused by the proof".to_owned()),
            hang: self == Self::Silent,
            ..Answer::default()
        }
    }
}

/// The step that is hit, by the key of its calls.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Aim {
    blow: Blow,
    key: Uuid,
    struck: bool,
}

impl Aim {
    pub fn at(blow: Blow, key: Uuid) -> Self {
        Self {
            blow,
            key,
            struck: false,
        }
    }

    /// What happens to a call under this key. Worker and answer are lost once only.
    pub fn strikes(&mut self, key: Uuid) -> Option<Blow> {
        let again = self.struck && self.blow.takes_effect();
        if self.key != key || again {
            return None;
        }
        self.struck = true;
        Some(self.blow)
    }

    pub fn forgets(&self, key: Uuid) -> bool {
        self.blow == Blow::Forgotten && self.key == key
    }
}
