//! FNV-1a over texts: a hash that is the same in every build and on every machine.
//!
//! Promises that two lists of texts that differ only in where one text ends are told apart. Refuses to be a defence: whoever wants
//! a collision finds one.

/// A hash on its way.
#[derive(Clone, Copy, Debug)]
pub struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    /// Takes in one text and its end, which is a byte that no UTF-8 holds.
    pub fn eat(&mut self, text: &str) {
        for byte in text.bytes().chain([0xff]) {
            self.byte(byte);
        }
    }

    /// Takes in a number.
    pub fn number(&mut self, number: u64) {
        for byte in number.to_le_bytes() {
            self.byte(byte);
        }
    }

    fn byte(&mut self, byte: u8) {
        self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }

    /// The hash of all that was taken in.
    pub fn hash(self) -> u64 {
        self.0
    }

    /// The hash of these bytes alone, with no end.
    pub fn of_bytes(bytes: &[u8]) -> u64 {
        let mut hash = Self::default();
        for byte in bytes {
            hash.byte(*byte);
        }
        hash.hash()
    }

    /// The hash of these texts, in this order.
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> u64 {
        let mut hash = Self::default();
        for text in texts {
            hash.eat(text);
        }
        hash.hash()
    }
}

#[cfg(test)]
mod tests {
    use super::Fnv;

    #[test]
    fn the_hash_of_a_text_is_that_of_every_build() {
        assert_eq!(Fnv::of([]), 0xcbf2_9ce4_8422_2325);
        assert_eq!(Fnv::of(["varchar(255)", "NO"]), 0xcdd4_d371_b853_a662);
    }

    #[test]
    fn the_hash_of_bytes_is_the_published_one() {
        assert_eq!(Fnv::of_bytes(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(Fnv::of_bytes(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn where_one_text_ends_makes_a_difference() {
        assert_ne!(Fnv::of(["ab", "c"]), Fnv::of(["a", "bc"]));
        assert_ne!(Fnv::of(["a"]), Fnv::of(["a", ""]));
    }
}
