//! Waves in order: whom each takes, when it opens, and what becomes of each of its assets.
//!
//! Not here: the words for those that are held.

use super::admit::{self, Fate, Job, Limits};
use super::conflicts::Found;
use super::reasons;
use super::{Plan, consent, waves_of};
use crate::code::Code;
use crate::forecast::{Outcome, Slot, WaveRow};
use crate::input::Wave;
use crate::moment::Moment;
use hostler_calendar::interval::Interval;
use hostler_core::definition::WaveLimit;

/// One wave while it is planned.
pub struct Present<'a> {
    pub number: usize,
    pub wave: &'a Wave,
    pub opens: Moment,
    pub places: Vec<usize>,
}

impl Plan<'_> {
    pub fn waves(&mut self) -> Vec<WaveRow> {
        let waves = waves_of(self.input);
        let mut left: Vec<usize> = (0..self.assets.len()).collect();
        let mut rows: Vec<WaveRow> = Vec::with_capacity(waves.len());
        for (number, wave) in waves.iter().enumerate() {
            let places = self.chosen(wave, &mut left);
            let (wanted, opens) = self.opens(wave, rows.last());
            let present = Present {
                number,
                wave,
                opens,
                places,
            };
            self.place(&present);
            rows.push(self.row(&present, wanted));
        }
        for place in left {
            let found = reasons::no_wave();
            self.hold(place, found);
        }
        rows
    }

    /// Of those that are left, in order; the share is of all assets, rounded up, as in the engine.
    fn chosen(&self, wave: &Wave, left: &mut Vec<usize>) -> Vec<usize> {
        let most = match wave.take {
            None => usize::MAX,
            Some(WaveLimit::Count(count)) => count as usize,
            Some(WaveLimit::Percent(percent)) => {
                (self.assets.len() * percent as usize).div_ceil(100)
            }
        };
        let mut chosen = Vec::new();
        left.retain(|place| {
            let fits = wave.matches.is_none() || self.assets[*place].fits.contains(&wave.name);
            let take = fits && chosen.len() < most;
            if take {
                chosen.push(*place);
            }
            !take
        });
        chosen
    }

    /// As the runbook says, and as it would be.
    fn opens(&mut self, wave: &Wave, before: Option<&WaveRow>) -> (Option<Moment>, Moment) {
        let midnight = |days| self.cycle.midnight(self.input, days);
        let wanted = wave.opens_days.and_then(midnight);
        let first = wanted.unwrap_or(self.cycle.anchor).max(self.ready);
        // What ran before ends, and is watched; a wave of which nothing ran holds nobody up.
        let before = before.map(|row| (row, row.ends.map(|ends| ends.plus(row.soak_ms))));
        let Some((row, Some(soaked))) = before else {
            let opened = before.map_or(first, |(row, _)| first.max(row.opens));
            return (wanted, opened);
        };
        if let Some(wanted) = wanted.filter(|wanted| *wanted < soaked) {
            let found = reasons::soak(&self.input.zone, wave, row, wanted, soaked);
            self.conflicts.add(found, None);
        }
        (wanted, first.max(soaked))
    }

    fn place(&mut self, present: &Present<'_>) {
        for place in &present.places {
            self.wave_of[*place] = Some(present.number);
        }
        let mut runs = Vec::new();
        for place in &present.places {
            match self.home(*place, present) {
                Ok((home, earliest)) => runs.push((*place, home, earliest)),
                Err(found) => self.hold(*place, found),
            }
        }
        let fates = self.admitted(&runs, present.places.len());
        for ((place, _, earliest), fate) in runs.into_iter().zip(fates) {
            let code = match fate {
                Fate::Done {
                    slot,
                    starts,
                    ends,
                    overflow,
                } => {
                    let slot = self.slot(place, slot, earliest);
                    self.outcomes[place] = Some(Outcome::Planned {
                        slot,
                        starts,
                        ends,
                        overflow,
                    });
                    continue;
                }
                Fate::OverflowUsed => Code::OverflowUsed,
                Fate::NoRoom => Code::NoRoom,
            };
            let found = reasons::full(self, place, present, code);
            self.hold(place, found);
        }
    }

    fn admitted(&mut self, runs: &[(usize, usize, Moment)], size: usize) -> Vec<Fate> {
        let job = |(place, home, earliest): &(usize, usize, Moment)| Job {
            slots: &self.class(*place).free,
            home: *home,
            earliest: *earliest,
            needed_ms: self.needed_ms(*place),
            steps_ms: self.input.durations.of(&self.assets[*place].id).steps_ms,
            keys: self.keys[*place],
        };
        let jobs: Vec<Job<'_>> = runs.iter().map(job).collect();
        let limits = Limits {
            ramp: &self.input.at_once.ramp,
            size,
            overflow_at_most: self.input.overflow.at_most,
            keys: &self.limits,
        };
        let mut looks = 0;
        let fates = admit::run(&jobs, &limits, &mut looks);
        self.work.looks += looks;
        fates
    }

    /// Its first slot and from when on it can be used; or why there is none.
    fn home(&mut self, place: usize, present: &Present<'_>) -> Result<(usize, Moment), Found> {
        let noticed = self.noticed(place, present)?;
        let asset = self.assets[place].id.as_str();
        match consent::agreed(self, place, noticed) {
            (Some(home), found) => {
                if let Some(found) = found {
                    self.conflicts.add(found, Some(asset));
                }
                Ok(home)
            }
            (None, Some(found)) => Err(found),
            (None, None) => Ok(noticed),
        }
    }

    /// As far as its notice allows.
    fn noticed(&mut self, place: usize, present: &Present<'_>) -> Result<(usize, Moment), Found> {
        if let Some(found) = reasons::impossible(self, place, present) {
            return Err(found);
        }
        let (class, needed_ms) = (self.class(place), self.needed_ms(place));
        let wanted = class
            .first(&class.free, present.opens, needed_ms)
            .ok_or_else(|| reasons::closed(self, place, present))?;
        let legal = self.told[&self.assets[place].customer].legal;
        let earliest = match legal {
            _ if self.is_published(place) => present.opens,
            Some(legal) => legal.max(present.opens),
            None => return Err(reasons::lead(self, place, present, wanted)),
        };
        let home = class.first(&class.free, earliest, needed_ms);
        if home != Some(wanted) {
            let found = reasons::lead(self, place, present, wanted);
            if home.is_none() {
                return Err(found);
            }
            let asset = self.assets[place].id.as_str();
            self.conflicts.add(found, Some(asset));
        }
        Ok((home.unwrap_or(wanted), earliest))
    }

    fn slot(&self, place: usize, number: usize, earliest: Moment) -> Slot {
        let class = self.class(place);
        let Interval { from, to } = class.free[number];
        Slot {
            window: class.window.clone(),
            opens: Moment(from).max(earliest),
            closes: Moment(to),
        }
    }

    fn hold(&mut self, place: usize, found: Found) {
        let asset = self.assets[place].id.as_str();
        let why = format!("{}; {}", found.what, found.remedy);
        let code = found.code;
        self.conflicts.add(found, Some(asset));
        self.outcomes[place] = Some(Outcome::Held { code, why });
    }

    fn row(&self, present: &Present<'_>, wanted: Option<Moment>) -> WaveRow {
        let planned = || {
            let all = present.places.iter();
            all.filter_map(|place| match &self.outcomes[*place] {
                Some(Outcome::Planned { starts, ends, .. }) => Some((*starts, *ends)),
                _ => None,
            })
        };
        let count = planned().count();
        WaveRow {
            name: present.wave.name.clone(),
            matches: present.wave.matches.clone(),
            wanted,
            opens: present.opens,
            begins: planned().map(|(starts, _)| starts).min(),
            ends: planned().map(|(_, ends)| ends).max(),
            soak_ms: present.wave.soak_ms,
            planned: count,
            held: present.places.len() - count,
        }
    }
}
