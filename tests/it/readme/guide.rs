//! A page of Markdown, taken apart as far as two pages can be compared: sections, code, tables, links.
//! Knows the few forms that the guides use, not Markdown.

use std::collections::BTreeSet;

/// A page.
pub(super) struct Guide {
    /// Within the repository.
    pub(super) path: &'static str,
    /// Every part from one heading to the next.
    pub(super) sections: Vec<Section>,
    /// The code, in its order.
    pub(super) blocks: Vec<Block>,
    /// Everything but the code.
    pub(super) prose: String,
}

/// What lies under one heading.
#[derive(Default)]
pub(super) struct Section {
    /// How many `#` it has.
    pub(super) level: usize,
    /// Its words.
    pub(super) title: String,
    /// Rows of tables.
    pub(super) rows: usize,
    /// Items of lists.
    pub(super) items: usize,
    /// What stands between backquotes.
    pub(super) codes: BTreeSet<String>,
    /// Where links lead.
    pub(super) links: BTreeSet<String>,
}

/// A fenced block of code.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// The word after the fence.
    pub(super) language: String,
    /// Its lines, each with its end.
    pub(super) text: String,
}

/// A row of a table.
pub(super) struct Row(Vec<String>);

impl Row {
    /// A cell without backquotes.
    pub(super) fn cell(&self, number: usize) -> &str {
        self.0.get(number).map_or("", String::as_str)
    }
}

impl Guide {
    pub(super) fn of(path: &'static str, text: &str) -> Self {
        let mut guide = Self {
            path,
            sections: Vec::new(),
            blocks: Vec::new(),
            prose: String::new(),
        };
        let mut open: Option<Block> = None;
        for line in text.lines() {
            match (open.take(), line.strip_prefix("```")) {
                (None, Some(language)) => {
                    let (language, text) = (language.to_owned(), String::new());
                    open = Some(Block { language, text });
                }
                (Some(block), Some(_)) => guide.blocks.push(block),
                (Some(mut block), None) => {
                    block.text.push_str(line);
                    block.text.push('\n');
                    open = Some(block);
                }
                (None, None) => guide.take(line),
            }
        }
        assert!(open.is_none(), "{path} leaves a block of code open");
        for section in &mut guide.sections {
            section.codes.retain(|code| !code.is_empty());
        }
        guide
    }

    fn take(&mut self, line: &str) {
        self.prose.push_str(line);
        self.prose.push('\n');
        let title = line.trim_start_matches('#');
        if title.len() < line.len() && title.starts_with(' ') {
            self.sections.push(Section {
                level: line.len() - title.len(),
                title: title.trim().to_owned(),
                ..Section::default()
            });
        }
        let Some(section) = self.sections.last_mut() else {
            return;
        };
        section.rows += usize::from(line.starts_with('|'));
        section.items += usize::from(line.starts_with("- "));
        section
            .codes
            .extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        let links = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        section.links.extend(links.map(str::to_owned));
    }

    /// The rows whose first cell is such a name.
    pub(super) fn rows_beginning_with(&self, is_meant: impl Fn(&str) -> bool) -> Vec<Row> {
        let lines = self
            .prose
            .lines()
            .filter_map(|line| line.strip_prefix('|')?.strip_suffix('|'));
        let rows = lines.map(|line| Row(line.split('|').map(|cell| cell.trim().replace('`', "")).collect()));
        rows.filter(|row| is_meant(row.cell(0))).collect()
    }
}
