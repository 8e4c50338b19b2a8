//! Times, sorted: their median, their 99th percentile, the longest.

/// What was measured once a round, in milliseconds.
#[derive(Default)]
pub(crate) struct Figures {
    millis: Vec<f64>,
}

impl Figures {
    #[expect(clippy::cast_precision_loss, reason = "figures of four digits")]
    pub(crate) fn add(&mut self, nanos: i64) {
        self.millis.push(nanos as f64 / 1e6);
    }

    /// The value that `share` of all do not exceed.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank among thousands"
    )]
    fn percentile(&self, share: f64) -> f64 {
        let rank = (share * self.millis.len() as f64).ceil() as usize;
        let at = rank.saturating_sub(1);
        self.millis.get(at).copied().unwrap_or(f64::NAN)
    }

    /// One row of the table.
    pub(crate) fn row(&mut self, name: &str) -> String {
        self.millis.sort_by(f64::total_cmp);
        let [p50, p99, max] = [0.5, 0.99, 1.0].map(|share| self.percentile(share));
        format!("{name:<44} {p50:>9.2} {p99:>9.2} {max:>9.2}")
    }
}
