// XLSX: XML parts in a zip file. Nothing is trusted that the file says of its own size: bytes are
// counted as they are inflated. Only the shared strings are held.
#include <libxml/xmlreader.h>
#include <zip.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/date.h"
#include "services/hubctl/output.h"
#include "services/hubctl/sheets.h"

namespace hub::ctl {
namespace {

constexpr int64_t kMiB = 1 << 20;
constexpr int64_t kLargestFile = 64 * kMiB;
constexpr int64_t kLargestPart = 512 * kMiB;  // inflated
constexpr int64_t kLargestRatio = 200;        // of a part to its bytes in the file, from 1 MiB on
constexpr size_t kMostShared = 64 * kMiB;     // bytes of shared strings
constexpr size_t kMostColumns = 16384;
constexpr int kMostRows = 1048576;
constexpr double kFirstSureSerial = 61;  // before it Excel counts a 29 February 1900
constexpr double kLastSerial = 2958465;  // 31 December 9999

Status Damaged(const std::string& part) {
  return UsageError(absl::StrCat("is damaged (", part,
                                 "); open it in a spreadsheet and save it as .xlsx or CSV"));
}

struct CloseZip {
  void operator()(zip_t* zip) const { zip_discard(zip); }
};
using Zip = std::unique_ptr<zip_t, CloseZip>;

// An XML part, node by node.
class Part {
 public:
  static StatusOr<std::unique_ptr<Part>> Open(zip_t* zip, const std::string& name) {
    auto part = std::make_unique<Part>();
    part->name_ = name;
    zip_stat_t stat;
    if (zip_stat(zip, name.c_str(), ZIP_FL_NOCASE, &stat) != 0) {
      return UsageError("has no part " + name + "; save it as .xlsx or CSV");
    }
    part->packed_ = static_cast<int64_t>(stat.comp_size);
    part->file_.reset(zip_fopen_index(zip, stat.index, 0));
    if (part->file_ == nullptr) return Damaged(name);
    part->reader_.reset(xmlReaderForIO(Inflate, nullptr, part.get(), nullptr, nullptr,
                                       XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING));
    if (part->reader_ == nullptr) return Damaged(name);
    xmlTextReaderSetErrorHandler(part->reader_.get(), Ignore, nullptr);
    return part;
  }

  // Goes to the next node; false at the end.
  StatusOr<bool> Next() {
    const int read = xmlTextReaderRead(reader_.get());
    if (bomb_) {
      return UsageError(
          absl::StrCat("unpacks to far more than a sheet is (", name_,
                       "); if it is yours, copy the rows alone into a new sheet and save that"));
    }
    if (read < 0) return Damaged(name_);
    // A document type can make much of little, and no sheet has one.
    if (read == 1 && Type() == XML_READER_TYPE_DOCUMENT_TYPE) return Damaged(name_);
    return read == 1;
  }
  int Type() const { return xmlTextReaderNodeType(reader_.get()); }
  std::string Name() const { return Text(xmlTextReaderConstLocalName(reader_.get())); }
  std::string Value() const { return Text(xmlTextReaderConstValue(reader_.get())); }
  bool Begins(const char* name) const { return Is(XML_READER_TYPE_ELEMENT, name); }
  bool Ends(const char* name) const {
    return Is(XML_READER_TYPE_END_ELEMENT, name) || (Begins(name) && IsEmpty());
  }
  bool IsEmpty() const { return xmlTextReaderIsEmptyElement(reader_.get()) == 1; }
  bool IsText() const {
    const int type = Type();
    return type == XML_READER_TYPE_TEXT || type == XML_READER_TYPE_CDATA ||
           type == XML_READER_TYPE_SIGNIFICANT_WHITESPACE;
  }
  // By its name without a namespace; empty where there is none.
  std::string Attribute(const std::string& name) const {
    std::string value;
    if (xmlTextReaderMoveToFirstAttribute(reader_.get()) != 1) return value;
    do {
      if (Name() == name) value = Value();
    } while (xmlTextReaderMoveToNextAttribute(reader_.get()) == 1);
    xmlTextReaderMoveToElement(reader_.get());
    return value;
  }

 private:
  struct CloseFile {
    void operator()(zip_file_t* file) const { zip_fclose(file); }
  };
  struct CloseReader {
    void operator()(xmlTextReader* reader) const { xmlFreeTextReader(reader); }
  };
  static std::string Text(const xmlChar* text) {
    return text == nullptr ? "" : reinterpret_cast<const char*>(text);
  }
  bool Is(int type, const char* name) const {
    if (Type() != type) return false;
    const xmlChar* own = xmlTextReaderConstLocalName(reader_.get());
    return own != nullptr && xmlStrEqual(own, reinterpret_cast<const xmlChar*>(name)) == 1;
  }
  // What is wrong is told by what Next() answers.
  static void Ignore(void*, const char*, xmlParserSeverities, xmlTextReaderLocatorPtr) {}
  static int Inflate(void* self, char* to, int size) {
    Part* part = static_cast<Part*>(self);
    const int64_t count = zip_fread(part->file_.get(), to, static_cast<zip_uint64_t>(size));
    if (count < 0) return -1;
    part->inflated_ += count;
    part->bomb_ = part->inflated_ > kLargestPart ||
                  (part->inflated_ > kMiB && part->inflated_ > part->packed_ * kLargestRatio);
    return part->bomb_ ? -1 : static_cast<int>(count);
  }

  std::string name_;
  int64_t packed_ = 0, inflated_ = 0;
  bool bomb_ = false;
  std::unique_ptr<zip_file_t, CloseFile> file_;
  std::unique_ptr<xmlTextReader, CloseReader> reader_;
};

// Texts one behind the other: what a vector of strings would take several times over.
class Texts {
 public:
  void Add(const std::string& text) {
    bytes_ += text;
    ends_.push_back(static_cast<uint32_t>(bytes_.size()));
  }
  size_t size() const { return ends_.size(); }
  size_t bytes() const { return bytes_.size() + ends_.size() * sizeof(uint32_t); }
  std::string At(size_t index) const {
    const size_t begin = index == 0 ? 0 : ends_[index - 1];
    return bytes_.substr(begin, ends_[index] - begin);
  }

 private:
  std::string bytes_;
  std::vector<uint32_t> ends_;
};

// '_x000D_' stands for a letter that XML cannot have.
std::string Unescaped(const std::string& text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    uint32_t letter = 0;
    if (text.compare(at, 2, "_x") == 0 && at + 6 < text.size() && text[at + 6] == '_' &&
        absl::SimpleHexAtoi(text.substr(at + 2, 4), &letter) && letter < 0x80) {
      out += static_cast<char>(letter);
      at += 7;
    } else {
      out += text[at++];
    }
  }
  return out;
}

// Of a format's code: whether it shows a day or a year.
bool ShowsADay(const std::string& code) {
  char within = 0;
  for (size_t i = 0; i < code.size(); ++i) {
    const char c = absl::ascii_tolower(static_cast<unsigned char>(code[i]));
    if (within != 0) {
      if (c == within) within = 0;
    } else if (c == '"') {
      within = '"';
    } else if (c == '[') {
      within = ']';
    } else if (c == '\\' || c == '_' || c == '*') {
      ++i;
    } else if (c == 'd' || c == 'y') {
      return true;
    }
  }
  return false;
}
// Of the formats that have a number and no code (ECMA-376, 18.8.30).
bool ShowsADay(int format) {
  return (format >= 14 && format <= 17) || format == 22 || (format >= 27 && format <= 36) ||
         (format >= 50 && format <= 58);
}

// 'AB12' -> 27
std::optional<size_t> ColumnOf(const std::string& reference) {
  size_t column = 0;
  for (char c : reference) {
    if (!absl::ascii_isupper(c)) break;
    column = column * 26 + static_cast<size_t>(c - 'A' + 1);
    if (column > kMostColumns) return std::nullopt;
  }
  return column == 0 ? std::nullopt : std::optional<size_t>(column - 1);
}

std::string Trimmed(const std::string& text) {
  return std::string(absl::StripAsciiWhitespace(text));
}

class XlsxReader : public SheetReader {
 public:
  Status Begin(const std::string& path) {
    std::error_code error;
    const auto size = static_cast<int64_t>(std::filesystem::file_size(path, error));
    if (error || size > kLargestFile) {
      return UsageError(
          "is larger than 64 MB; save the rows that are wanted as a sheet of their "
          "own");
    }
    zip_.reset(zip_open(path.c_str(), ZIP_RDONLY, nullptr));
    if (zip_ == nullptr) return Damaged("the zip file as a whole");
    if (!Has("xl/workbook.xml")) {
      if (Has("xl/workbook.bin")) return UsageError("is an .xlsb; save it as .xlsx or CSV");
      if (Has("content.xml")) {
        return UsageError("is an OpenDocument sheet (.ods); save it as .xlsx or CSV");
      }
      return UsageError("is a zip file and no .xlsx; unpack it and name the sheet in it");
    }
    ASSIGN_OR_RETURN(const auto targets, ReadRelations());
    RETURN_IF_ERROR(ReadWorkbook());
    const auto target = targets.find(sheet_);
    if (target == targets.end()) return Damaged("xl/workbook.xml");
    for (const auto& [id, part] : targets) {
      if (id == "/styles") RETURN_IF_ERROR(ReadStyles(part));
      if (id == "/sharedStrings") RETURN_IF_ERROR(ReadShared(part));
    }
    ASSIGN_OR_RETURN(part_, Part::Open(zip_.get(), target->second));
    return Status();
  }

  StatusOr<bool> Next(Row* row) override {
    *row = Row();
    row->line = line_;
    while (true) {
      ASSIGN_OR_RETURN(const bool more, part_->Next());
      if (!more || part_->Ends("sheetData")) return false;
      if (!part_->Begins("row")) continue;
      int line = 0;
      line_ = absl::SimpleAtoi(part_->Attribute("r"), &line) ? line : line_ + 1;
      *row = Row();
      row->line = line_;
      if (line_ < 1 || line_ > kMostRows) return Damaged("a row that is none");
      if (part_->IsEmpty()) continue;
      RETURN_IF_ERROR(ReadCells(row));
      if (std::any_of(row->cells.begin(), row->cells.end(),
                      [](const std::string& cell) { return !cell.empty(); })) {
        return true;
      }
    }
  }

 private:
  bool Has(const char* name) const { return zip_name_locate(zip_.get(), name, ZIP_FL_NOCASE) >= 0; }

  // The parts of the workbook by their ids, styles and shared strings by what they are.
  StatusOr<std::map<std::string, std::string>> ReadRelations() {
    ASSIGN_OR_RETURN(const auto part, Part::Open(zip_.get(), "xl/_rels/workbook.xml.rels"));
    std::map<std::string, std::string> targets;
    while (true) {
      ASSIGN_OR_RETURN(const bool more, part->Next());
      if (!more) return targets;
      if (!part->Begins("Relationship")) continue;
      std::string target = part->Attribute("Target");
      target = target.starts_with('/') ? target.substr(1) : "xl/" + target;
      const std::string type = part->Attribute("Type");
      for (const char* kind : {"/styles", "/sharedStrings"}) {
        if (type.ends_with(kind)) targets[kind] = target;
      }
      targets[part->Attribute("Id")] = target;
    }
  }

  Status ReadWorkbook() {
    ASSIGN_OR_RETURN(const auto part, Part::Open(zip_.get(), "xl/workbook.xml"));
    int count = 0, shown = 0;
    std::string name;
    while (true) {
      ASSIGN_OR_RETURN(const bool more, part->Next());
      if (!more) break;
      if (part->Begins("workbookPr")) {
        const std::string value = part->Attribute("date1904");
        from_1904_ = value == "1" || value == "true";
      }
      if (!part->Begins("sheet")) continue;
      ++count;
      const std::string state = part->Attribute("state");
      if (shown > 0 || (!state.empty() && state != "visible")) continue;
      shown = count;
      name = part->Attribute("name");
      sheet_ = part->Attribute("id");
    }
    if (shown == 0) {
      return UsageError("has no sheet that is not hidden; show the one that is meant");
    }
    form_ =
        absl::StrCat("the sheet '", name, "', ",
                     count == 1 ? "the only one" : absl::StrCat("number ", shown, " of ", count));
    return Status();
  }

  // Which styles of cells show a day.
  Status ReadStyles(const std::string& name) {
    ASSIGN_OR_RETURN(const auto part, Part::Open(zip_.get(), name));
    std::set<int> days;
    bool cells = false;
    while (true) {
      ASSIGN_OR_RETURN(const bool more, part->Next());
      if (!more) return Status();
      int format = 0;
      if (part->Begins("numFmt") && absl::SimpleAtoi(part->Attribute("numFmtId"), &format) &&
          ShowsADay(part->Attribute("formatCode"))) {
        days.insert(format);
      }
      if (part->Begins("cellXfs")) cells = true;
      if (cells && part->Begins("xf")) {
        const bool known = absl::SimpleAtoi(part->Attribute("numFmtId"), &format);
        is_day_.push_back(known && (ShowsADay(format) || days.count(format) > 0));
      }
      if (part->Ends("cellXfs")) cells = false;
    }
  }

  Status ReadShared(const std::string& name) {
    ASSIGN_OR_RETURN(const auto part, Part::Open(zip_.get(), name));
    std::string text;
    while (true) {
      ASSIGN_OR_RETURN(const bool more, part->Next());
      if (!more) return Status();
      if (part->Begins("si")) text.clear();
      if (part->Begins("t")) RETURN_IF_ERROR(AddText(part.get(), "t", &text));
      if (part->Begins("rPh")) RETURN_IF_ERROR(PassOver(part.get(), "rPh"));
      if (part->Ends("si")) shared_.Add(Unescaped(text));
      if (shared_.bytes() > kMostShared) {
        return UsageError("has more than 64 MB of text; save it as CSV, which may be of any size");
      }
    }
  }

  static Status AddText(Part* part, const char* name, std::string* text) {
    if (part->IsEmpty()) return Status();
    while (true) {
      ASSIGN_OR_RETURN(const bool more, part->Next());
      if (!more || part->Ends(name)) return Status();
      if (part->IsText()) *text += part->Value();
    }
  }
  // How a word is spoken, beside the word.
  static Status PassOver(Part* part, const char* name) {
    if (part->IsEmpty()) return Status();
    while (true) {
      ASSIGN_OR_RETURN(const bool more, part->Next());
      if (!more || part->Ends(name)) return Status();
    }
  }

  // Up to the end of the row.
  Status ReadCells(Row* row) {
    size_t next = 0;
    while (true) {
      ASSIGN_OR_RETURN(const bool more, part_->Next());
      if (!more) return Damaged("a row without an end");
      if (part_->Ends("row")) return Status();
      if (!part_->Begins("c")) continue;
      const std::string reference = part_->Attribute("r");
      const std::optional<size_t> column = reference.empty() ? next : ColumnOf(reference);
      if (!column.has_value() || *column >= kMostColumns) return Damaged("a cell that is nowhere");
      next = *column + 1;
      if (part_->IsEmpty()) continue;
      ASSIGN_OR_RETURN(const std::string text, ReadCell());
      if (text.empty()) continue;
      if (row->cells.size() < next) row->cells.resize(next);
      row->cells[*column] = text;
    }
  }

  StatusOr<std::string> ReadCell() {
    const std::string type = part_->Attribute("t"), style = part_->Attribute("s");
    std::string value;
    while (true) {
      ASSIGN_OR_RETURN(const bool more, part_->Next());
      if (!more) return Damaged("a cell without an end");
      if (part_->Ends("c")) break;
      if (part_->Begins("rPh")) RETURN_IF_ERROR(PassOver(part_.get(), "rPh"));
      if (part_->Begins("v")) RETURN_IF_ERROR(AddText(part_.get(), "v", &value));
      if (part_->Begins("t")) RETURN_IF_ERROR(AddText(part_.get(), "t", &value));
    }
    if (type == "s") {
      size_t index = 0;
      if (!absl::SimpleAtoi(value, &index) || index >= shared_.size()) {
        return Damaged("a text that is nowhere");
      }
      return Trimmed(shared_.At(index));
    }
    if (type == "inlineStr" || type == "str") return Trimmed(Unescaped(value));
    if (type == "b") return std::string(value == "1" ? "TRUE" : "FALSE");
    if (type == "d" && value.size() >= 10) return WriteDay(value.substr(0, 10));
    size_t index = 0;
    const bool day = absl::SimpleAtoi(style, &index) && index < is_day_.size() && is_day_[index];
    return type.empty() || type == "n" ? NumberText(Trimmed(value), day) : Trimmed(value);
  }

  std::string NumberText(const std::string& value, bool is_day) const {
    double number = 0;
    if (!absl::SimpleAtod(value, &number) || !std::isfinite(number)) return value;
    const double whole = std::floor(number), first = from_1904_ ? 0 : kFirstSureSerial;
    if (is_day && whole >= first && whole <= kLastSerial) {
      const absl::CivilDay zero =
          from_1904_ ? absl::CivilDay(1904, 1, 1) : absl::CivilDay(1899, 12, 30);
      return WriteDay(ToText(zero + static_cast<int64_t>(whole)));
    }
    if (whole == number && std::abs(number) < 1e15) {
      return absl::StrCat(static_cast<int64_t>(number));
    }
    return absl::StrFormat("%.15g", number);
  }

  Zip zip_;
  std::string sheet_;  // its relation's id
  bool from_1904_ = false;
  std::vector<bool> is_day_;  // by style
  Texts shared_;
  std::unique_ptr<Part> part_;
  int line_ = 0;
};

}  // namespace

StatusOr<std::unique_ptr<SheetReader>> OpenXlsx(const std::string& path) {
  auto reader = std::make_unique<XlsxReader>();
  RETURN_IF_ERROR(reader->Begin(path));
  return reader;
}

}  // namespace hub::ctl
