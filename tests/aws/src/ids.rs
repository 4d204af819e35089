//! Where IDs come from: a counter and a seed, so that two equal runs name everything alike.

use std::fmt::Write;

/// The source of every ID in a world.
#[derive(Clone, Debug, Default)]
pub struct Ids {
    seed: u64,
    next: u64,
}

impl Ids {
    /// Starts at nothing.
    pub fn new(seed: u64) -> Self {
        Self { seed, next: 0 }
    }

    fn rng(&mut self) -> fastrand::Rng {
        self.next += 1;
        fastrand::Rng::with_seed(self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ self.next)
    }

    /// The next ID: `length` lower-case hex digits.
    pub fn hex(&mut self, length: usize) -> String {
        let mut rng = self.rng();
        let mut id = String::with_capacity(length + 16);
        while id.len() < length {
            let _ = write!(id, "{:016x}", rng.u64(..));
        }
        id.truncate(length);
        id
    }

    /// The next ID: `length` letters, digits, `-` and `_`, as ECS names service deployments.
    pub fn letters(&mut self, length: usize) -> String {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut rng = self.rng();
        (0..length).map(|_| char::from(LETTERS[rng.usize(..LETTERS.len())])).collect()
    }

    /// The next ID: a number of 19 digits, as ECS numbers deployments.
    pub fn number(&mut self) -> u64 {
        self.rng().u64(1_000_000_000_000_000_000..=9_223_372_036_854_775_807)
    }
}
