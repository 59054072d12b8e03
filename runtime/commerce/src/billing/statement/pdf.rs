//! A bill as a PDF document: A4, with the fonts that every reader has. These have the characters of
//! Western Europe (Windows-1252); others are written as `?`, and the document tells that.

mod font;

use pdf_writer::{Content, Finish as _, Name, Pdf, Rect, Ref, Str, TextStr};

use super::{Line, Statement, Total};
use font::{Text, width};

/// Max lines of a bill in the document, which has the number of the others; its HTML has all.
const LINES_MAX: usize = 10_000;

/// Max characters of a text. The rest of a longer one is left out.
const CHARS_MAX: usize = 400;

const PAGE: (f32, f32) = (595.0, 842.0);
const LEFT: f32 = 50.0;
const RIGHT: f32 = 545.0;
const TOP: f32 = 780.0;
const BOTTOM: f32 = 70.0;

/// The columns: where texts begin, and where amounts end.
const DAYS: f32 = 290.0;
const NET: f32 = 475.0;
const TAX: f32 = RIGHT;

/// The widths that names, days and amounts have.
const NAME_WIDTH: f32 = DAYS - LEFT - 10.0;
const DAYS_WIDTH: f32 = 110.0;
const AMOUNT_WIDTH: f32 = 68.0;

const SIZE: f32 = 9.0;
const LEADING: f32 = 12.0;

/// Writes the document.
pub(super) fn document(statement: &Statement) -> Vec<u8> {
    let mut pages = Pages::new(&statement.number);
    pages.title();
    for (name, value) in &statement.facts {
        pages.fact(name, value);
    }
    pages.head();
    for line in statement.lines.iter().take(LINES_MAX) {
        pages.line(line);
    }
    let more = statement.lines.len().saturating_sub(LINES_MAX);
    if more > 0 {
        pages.note(&format!("{more} more lines are in the HTML document of this bill."));
    }
    pages.down(LEADING / 2.0);
    for total in &statement.totals {
        pages.total(total);
    }
    pages.finish()
}

/// Pages that are being written, from top to bottom.
struct Pages<'a> {
    number: &'a str,
    done: Vec<Content>,
    page: Content,
    y: f32,
    /// Whether a character was written as another.
    is_lossy: bool,
}

#[derive(Clone, Copy)]
enum Face {
    Plain,
    Bold,
}

impl<'a> Pages<'a> {
    fn new(number: &'a str) -> Self {
        Self { number, done: Vec::new(), page: Content::new(), y: TOP, is_lossy: false }
    }

    fn down(&mut self, by: f32) {
        self.y -= by;
    }

    /// Begins a page if there is no room for these lines.
    fn room(&mut self, lines: usize) -> bool {
        // Few lines: no text has more than `CHARS_MAX` characters.
        let needed = LEADING * u16::try_from(lines).map_or(f32::MAX, f32::from);
        let is_new = self.y - needed < BOTTOM && self.y < TOP;
        if is_new {
            self.done.push(std::mem::replace(&mut self.page, Content::new()));
            self.y = TOP;
        }
        is_new
    }

    fn text(&mut self, face: Face, size: f32, x: f32, text: &Text) {
        self.is_lossy |= text.is_lossy;
        let font = match face {
            Face::Plain => PLAIN,
            Face::Bold => BOLD,
        };
        self.page.begin_text();
        self.page.set_font(font, size);
        self.page.next_line(x, self.y);
        self.page.show(Str(&text.bytes));
        self.page.end_text();
    }

    /// A text in a column, smaller if it is too wide for it.
    fn column(&mut self, face: Face, x: f32, room: f32, text: &str) {
        let text = Text::of(text, CHARS_MAX);
        let size = SIZE.min(SIZE * room / width(&text.bytes, SIZE).max(1.0));
        self.text(face, size, x, &text);
    }

    /// An amount that ends at a place.
    fn amount(&mut self, face: Face, end: f32, amount: &str) {
        let text = Text::of(amount, CHARS_MAX);
        let size = SIZE.min(SIZE * AMOUNT_WIDTH / width(&text.bytes, SIZE).max(1.0));
        self.text(face, size, end - width(&text.bytes, size), &text);
    }

    fn rule(&mut self) {
        let y = self.y + LEADING - 2.0;
        self.page.set_line_width(0.5);
        self.page.move_to(LEFT, y);
        self.page.line_to(RIGHT, y);
        self.page.stroke();
    }

    fn title(&mut self) {
        let title = Text::of(&format!("Bill {}", self.number), CHARS_MAX);
        let size = 18_f32.min(18.0 * (RIGHT - LEFT) / width(&title.bytes, 18.0).max(1.0));
        self.text(Face::Bold, size, LEFT, &title);
        self.down(2.0 * LEADING);
    }

    fn fact(&mut self, name: &str, value: &str) {
        let value = Text::of(value, CHARS_MAX);
        for (index, piece) in value.wrapped(RIGHT - LEFT - 90.0, SIZE).iter().enumerate() {
            self.room(1);
            if index == 0 {
                self.text(Face::Plain, SIZE, LEFT, &Text::of(name, CHARS_MAX));
            }
            self.text(Face::Bold, SIZE, LEFT + 90.0, piece);
            self.down(LEADING);
        }
    }

    /// The names of the columns.
    fn head(&mut self) {
        self.down(LEADING);
        self.column(Face::Bold, LEFT, NAME_WIDTH, "What");
        self.column(Face::Bold, DAYS, DAYS_WIDTH, "For");
        self.amount(Face::Bold, NET, "Before tax");
        self.amount(Face::Bold, TAX, "Tax");
        self.down(LEADING);
        self.rule();
    }

    fn line(&mut self, line: &Line) {
        let names = Text::of(&line.name, CHARS_MAX).wrapped(NAME_WIDTH, SIZE);
        let more = Text::of(&line.more, CHARS_MAX).wrapped(NAME_WIDTH, SIZE - 1.0);
        if self.room(names.len() + more.len()) {
            self.head();
        }
        let names = names.into_iter().map(|text| (text, SIZE));
        let mut texts: Vec<(Text, f32)> =
            names.chain(more.into_iter().map(|text| (text, SIZE - 1.0))).collect();
        if texts.is_empty() {
            texts.push((Text::default(), SIZE));
        }
        for (index, (text, size)) in texts.iter().enumerate() {
            self.text(Face::Plain, *size, LEFT, text);
            if index == 0 {
                self.column(Face::Plain, DAYS, DAYS_WIDTH, &line.days);
                self.amount(Face::Plain, NET, &line.net);
                self.amount(Face::Plain, TAX, &line.tax);
            }
            self.down(LEADING);
        }
        self.rule();
        self.down(2.0);
    }

    fn total(&mut self, total: &Total) {
        self.room(1);
        let face = if total.is_strong { Face::Bold } else { Face::Plain };
        self.column(face, DAYS, DAYS_WIDTH, &total.name);
        self.amount(face, TAX, &total.amount);
        self.down(LEADING);
    }

    fn note(&mut self, text: &str) {
        self.room(1);
        self.text(Face::Plain, SIZE - 1.0, LEFT, &Text::of(text, CHARS_MAX));
        self.down(LEADING);
    }

    /// The document: its pages with their numbers.
    fn finish(mut self) -> Vec<u8> {
        if self.is_lossy {
            self.down(LEADING);
            self.note("Characters that this document cannot show are written as ?. The HTML document has them.");
        }
        let last = std::mem::replace(&mut self.page, Content::new());
        let mut pages = std::mem::take(&mut self.done);
        pages.push(last);
        let count = pages.len();
        let mut pdf = Pdf::new();
        pdf.catalog(CATALOG).pages(TREE).lang(TextStr("en"));
        pdf.document_info(INFO).title(TextStr(&format!("Bill {}", self.number)));
        for (id, name) in [(FONT, "Helvetica"), (FONT_BOLD, "Helvetica-Bold")] {
            let mut font = pdf.type1_font(id);
            font.base_font(Name(name.as_bytes())).encoding_predefined(Name(b"WinAnsiEncoding"));
        }
        let ids: Vec<(Ref, Ref)> = (FIRST..)
            .step_by(2)
            .zip(&pages)
            .map(|(id, _)| (Ref::new(id), Ref::new(id + 1)))
            .collect();
        let kids = ids.iter().map(|(page, _)| *page);
        pdf.pages(TREE).kids(kids).count(i32::try_from(count).unwrap_or(i32::MAX));
        for (index, (content, (page_id, content_id))) in pages.into_iter().zip(ids).enumerate() {
            self.page = content;
            self.y = BOTTOM - 2.0 * LEADING;
            let text = format!("Bill {}, page {} of {count}", self.number, index + 1);
            self.column(Face::Plain, LEFT, RIGHT - LEFT, &text);
            let mut page = pdf.page(page_id);
            page.media_box(Rect::new(0.0, 0.0, PAGE.0, PAGE.1)).parent(TREE).contents(content_id);
            page.resources().fonts().pair(PLAIN, FONT).pair(BOLD, FONT_BOLD);
            page.finish();
            let content = std::mem::replace(&mut self.page, Content::new());
            pdf.stream(content_id, &content.finish());
        }
        pdf.finish()
    }
}

const PLAIN: Name<'_> = Name(b"F1");
const BOLD: Name<'_> = Name(b"F2");

const CATALOG: Ref = Ref::new(1);
const TREE: Ref = Ref::new(2);
const INFO: Ref = Ref::new(3);
const FONT: Ref = Ref::new(4);
const FONT_BOLD: Ref = Ref::new(5);
/// The id of the first page. Its content has the next one.
const FIRST: i32 = 6;

#[cfg(test)]
mod tests;
