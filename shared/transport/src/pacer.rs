use std::{collections::VecDeque, time::Duration};

/// How many calls may start in one second and in one minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Calls per second.
    pub per_second: u32,
    /// Calls per minute.
    pub per_minute: u32,
}

/// Spaces calls so that no window of a second or a minute holds more than a [`Pace`] allows.
///
/// It only computes; the caller waits. Times are on any clock that counts from a fixed start.
#[derive(Debug)]
pub struct Pacer {
    pace: Pace,
    scale: u32,
    starts: VecDeque<Duration>,
}

impl Pacer {
    /// A pacer whose windows are divided by `scale` (1 in production).
    pub fn new(pace: Pace, scale: u32) -> Self {
        Self {
            pace,
            scale: scale.max(1),
            starts: VecDeque::new(),
        }
    }

    /// Books the next start and says how long after `now` it is.
    ///
    /// A clock that went back books from the last known start on, never closer than the pace.
    pub fn book(&mut self, now: Duration) -> Duration {
        let minute = Duration::from_mins(1) / self.scale;
        let second = Duration::from_secs(1) / self.scale;
        let start = now
            .max(self.window_opens(self.pace.per_second, second))
            .max(self.window_opens(self.pace.per_minute, minute));
        self.starts.push_back(start);
        while self.starts.len() > self.pace.per_minute.max(self.pace.per_second) as usize {
            self.starts.pop_front();
        }
        // A clock set back must not stop the program: no wait is longer than one window.
        start.saturating_sub(now).min(minute)
    }

    fn window_opens(&self, limit: u32, window: Duration) -> Duration {
        let limit = limit.max(1) as usize;
        match self
            .starts
            .len()
            .checked_sub(limit)
            .and_then(|i| self.starts.get(i))
        {
            Some(start) => *start + window,
            None => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_window_holds_more_than_the_pace() {
        let mut pacer = Pacer::new(
            Pace {
                per_second: 6,
                per_minute: 350,
            },
            1,
        );
        let mut now = Duration::from_secs(100);
        let mut starts = Vec::new();
        for _ in 0..1000 {
            now += pacer.book(now);
            starts.push(now);
        }
        for (i, start) in starts.iter().enumerate() {
            let second = starts[i..]
                .iter()
                .take_while(|s| **s < *start + Duration::from_secs(1));
            assert!(second.count() <= 6);
            let minute = starts[i..]
                .iter()
                .take_while(|s| **s < *start + Duration::from_mins(1));
            assert!(minute.count() <= 350);
        }
    }

    #[test]
    fn a_clock_set_back_does_not_stop_the_program() {
        let mut pacer = Pacer::new(
            Pace {
                per_second: 1,
                per_minute: 1,
            },
            1,
        );
        assert_eq!(pacer.book(Duration::from_hours(2)), Duration::ZERO);
        assert_eq!(pacer.book(Duration::from_hours(1)), Duration::from_mins(1));
    }
}
