// Sheets as they come: by hand, by other programs, broken, and too big.
#include "services/hubctl/sheets.h"
#include "common/base/letters.h"

#include <unistd.h>
#include <zip.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/hubctl/import.h"
#include "services/hubctl/sheets_writer.h"

namespace hub::ctl {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Table = std::vector<std::vector<std::string>>;

// Of this process, while it runs.
class Folder {
 public:
  Folder() : path_(fs::path(::testing::TempDir()) / absl::StrCat("sheets_test.", ::getpid())) {
    fs::create_directories(path_);
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  const fs::path path_;
};

std::string PathOf(const std::string& file) {
  static const Folder folder;
  return (folder.path() / file).string();
}

std::string Write(const std::string& file, const std::string& bytes) {
  std::ofstream(PathOf(file), std::ios::binary) << bytes;
  return PathOf(file);
}

std::string BytesOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Known {
  Table rows;
  std::vector<int> lines;
  std::string form, refusal;
  int refused_line = 0;
};

Known Read(const std::string& path) {
  Known known;
  auto reader = SheetReader::Open(path);
  if (!reader.ok()) {
    known.refusal = MessageOf(reader.status());
    return known;
  }
  known.form = (*reader)->form();
  Row row;
  StatusOr<bool> more = (*reader)->Next(&row);
  for (; more.ok() && *more; more = (*reader)->Next(&row)) {
    known.rows.push_back(row.cells);
    known.lines.push_back(row.line);
  }
  if (!more.ok()) known.refusal = MessageOf(more.status()), known.refused_line = row.line;
  return known;
}

Known ReadCsv(const std::string& bytes) { return Read(Write("sheet.csv", bytes)); }

// A zip file of these parts.
std::string Zip(const std::string& file,
                const std::vector<std::pair<std::string, std::string>>& parts) {
  const std::string path = PathOf(file);
  fs::remove(path);
  zip_t* zip = zip_open(path.c_str(), ZIP_CREATE, nullptr);
  for (const auto& [name, content] : parts) {
    zip_source_t* source = zip_source_buffer(zip, content.data(), content.size(), 0);
    EXPECT_GE(zip_file_add(zip, name.c_str(), source, ZIP_FL_OVERWRITE), 0);
  }
  EXPECT_EQ(zip_close(zip), 0);
  return path;
}

constexpr char kRelations[] = R"(<?xml version="1.0"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="rId7" Type="http://x/worksheet" Target="worksheets/other.xml"/>
<Relationship Id="rId8" Type="http://x/worksheet" Target="/xl/worksheets/sheet2.xml"/>
<Relationship Id="rId1" Type="http://x/styles" Target="styles.xml"/>
<Relationship Id="rId2" Type="http://x/sharedStrings" Target="sharedStrings.xml"/></Relationships>)";
constexpr char kWorkbook[] = R"(<workbook xmlns="m" xmlns:r="r"><workbookPr date1904="{1904}"/>
<sheets><sheet name="Old" sheetId="1" state="hidden" r:id="rId7"/>
<sheet name="Members" sheetId="2" r:id="rId8"/></sheets></workbook>)";
// The cells' styles: 0 plain, 1 a day by number, 2 a day by its own code, 3 money, 4 a time.
constexpr char kStyles[] = R"(<styleSheet xmlns="m"><numFmts>
<numFmt numFmtId="164" formatCode="[$-809]dd\ mmmm\ yyyy"/>
<numFmt numFmtId="165" formatCode="&quot;paid &quot;0.00"/></numFmts>
<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>
<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/>
<xf numFmtId="20"/></cellXfs></styleSheet>)";
constexpr char kShared[] = R"(<sst xmlns="m"><si><t>First name</t></si>
<si><r><t>Si</t></r><r><t xml:space="preserve">ân </t></r><rPh><t>no</t></rPh></si><si><t/></si>
<si><t>two_x000A_lines &amp; &lt;x&gt;</t></si></sst>)";

std::string Xlsx(const std::string& rows, const std::string& from_1904 = "0") {
  return Zip("sheet.xlsx",
             {{"xl/workbook.xml", absl::StrReplaceAll(kWorkbook, {{"{1904}", from_1904}})},
              {"xl/_rels/workbook.xml.rels", kRelations},
              {"xl/styles.xml", kStyles},
              {"xl/sharedStrings.xml", kShared},
              {"xl/worksheets/sheet2.xml", absl::StrCat("<worksheet xmlns=\"m\"><sheetData>", rows,
                                                        "</sheetData></worksheet>")}});
}

// ---- CSV ----

TEST(Csv, HasItsMarkQuotesAndTrimmedCells) {
  const Known known =
      ReadCsv("\xef\xbb\xbfName,Key\r\n\"Hadley, \"\"Zoë\"\"\",M001\r\n  Mensah  ,M2");
  EXPECT_EQ(known.rows, (Table{{"Name", "Key"}, {"Hadley, \"Zoë\"", "M001"}, {"Mensah", "M2"}}));
  EXPECT_EQ(known.form, "CSV in UTF-8");
}

TEST(Csv, CountsLinesOverBlankRowsAndCellsOfSeveralLines) {
  const Known known = ReadCsv("Key,Name\n\nM001,\"two\n\nlines\"\n,\nM002,x\n");
  EXPECT_THAT(known.lines, ElementsAre(1, 3, 7));
  EXPECT_EQ(known.rows[1][1], "two\n\nlines");
  EXPECT_THAT(ReadCsv("a,b\rc,d\r\re,f").lines, ElementsAre(1, 2, 4));  // of an old Mac
}

TEST(Csv, IsInTheLettersThatItIsIn) {
  EXPECT_EQ(ReadCsv("Zo\xeb,\x80 5\n").rows, (Table{{"Zoë", "€ 5"}}));
  EXPECT_EQ(ReadCsv("Zo\xeb,\x80 5\n").form, "CSV in Windows-1252");
  const std::string utf16(
      "\xff\xfeZ\0o\0\xeb\0\t\0"
      "1\0\r\0\n\0",
      16);
  EXPECT_EQ(ReadCsv(utf16).rows, (Table{{"Zoë", "1"}}));  // 'Unicode text'
  EXPECT_THAT(ReadCsv(std::string("a\0b\0", 4)).refusal,
              HasSubstr("save the sheet as 'CSV UTF-8'"));
  EXPECT_THAT(ReadCsv("a,b\nc,\x81\n").refusal, HasSubstr("save the sheet as 'CSV UTF-8'"));
  EXPECT_EQ(ReadCsv("a,b\nc,\x81\n").refused_line, 2);
  EXPECT_THAT(ReadCsv("\xef\xbb\xbf"
                      "Zo\xeb\n")
                  .refusal,
              HasSubstr("letters"));
}

TEST(Csv, IsPartedByWhatPartsItsFirstLine) {
  EXPECT_EQ(ReadCsv("a;b\n\"1;2\";3,5\n").rows, (Table{{"a", "b"}, {"1;2", "3,5"}}));
  EXPECT_EQ(ReadCsv("a\tb\n1\t\n").rows, (Table{{"a", "b"}, {"1", ""}}));
  EXPECT_EQ(ReadCsv("\"a;;;\",b\n1,2\n").rows, (Table{{"a;;;", "b"}, {"1", "2"}}));
}

TEST(Csv, NamesTheLineOfAWrongQuote) {
  Known known = ReadCsv("Key,Name\nM001,a\nM002,b\"c\nM003,d\n");
  EXPECT_EQ(known.refused_line, 3);
  EXPECT_THAT(known.refusal, HasSubstr("a quotation mark stands inside a cell"));
  known = ReadCsv("Key,Name\nM001,a\nM002,\"b\nM003,c\n");
  EXPECT_EQ(known.refused_line, 3);
  EXPECT_EQ(known.refusal, "a quotation mark is opened and never closed");
  known = ReadCsv("a,\"" + std::string(3 << 20, 'x') + "\n");
  EXPECT_THAT(known.refusal, HasSubstr("longer than a megabyte"));
  known = ReadCsv("a,\"" + absl::StrJoin(std::vector<std::string>(300000, "x,y"), "\n"));
  EXPECT_THAT(known.refusal, HasSubstr("longer than a megabyte"));
}

// ---- XLSX ----

TEST(Xlsx, OfAForeignWriterHasSharedAndInlineStringsGapsAndNoReferences) {
  const Known known = Read(Xlsx(
      R"(<row r="2"><c r="A2" t="s"><v>0</v></c><c r="C2" t="inlineStr"><is><t> Key </t></is></c></row>
         <row r="3"><c r="A3" s="1"/><c r="B3" t="s"><v>2</v></c></row><row/>
         <row><c t="s"><v>1</v></c><c t="str"><f>A1</f><v>of a formula</v></c><c t="b"><v>1</v></c>
         <c t="e"><v>#N/A</v></c><c t="s"><v>3</v></c></row>)"));
  EXPECT_EQ(known.refusal, "");
  EXPECT_EQ(known.rows, (Table{{"First name", "", "Key"},
                               {"Siân", "of a formula", "TRUE", "#N/A", "two\nlines & <x>"}}));
  EXPECT_THAT(known.lines, ElementsAre(2, 5));
  EXPECT_EQ(known.form, "the sheet 'Members', number 2 of 2");
}

TEST(Xlsx, HasDaysWhereTheStyleSaysSo) {
  constexpr char kRow[] =
      R"(<row><c s="1"><v>44533</v></c><c s="2"><v>44533.75</v></c><c><v>44533</v></c>
         <c s="3"><v>44533.5</v></c><c s="4"><v>0.5</v></c><c t="d"><v>2021-12-03T00:00:00</v></c>
         <c><v>7700900123</v></c><c><v>4.4770090012300003E+11</v></c><c s="1"><v>12</v></c></row>)";
  EXPECT_EQ(Read(Xlsx(kRow)).rows, (Table{{"03/12/2021", "03/12/2021", "44533", "44533.5", "0.5",
                                           "03/12/2021", "7700900123", "447700900123", "12"}}));
  const Known known = Read(Xlsx(kRow, "1"));
  ASSERT_EQ(known.rows.size(), 1u);
  EXPECT_EQ(known.rows[0][0], "04/12/2025");
  EXPECT_EQ(known.rows[0][2], "44533");
}

TEST(Xlsx, ThatUnpacksToTooMuchIsRefused) {
  std::string blank;
  for (int i = 0; i < 3 << 20; ++i) blank += "<pad></pad>";
  const Known known = Read(Xlsx("<row><c><v>1</v></c></row>" + blank));
  EXPECT_EQ(known.rows, Table{{"1"}});
  EXPECT_THAT(known.refusal, HasSubstr("unpacks to far more than a sheet is"));
  const std::string entities =
      "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;\">]><sst><si><t>&b;"
      "</t></si></sst>";
  EXPECT_THAT(Read(Zip("entities.xlsx", {{"xl/workbook.xml", kWorkbook},
                                         {"xl/_rels/workbook.xml.rels", kRelations},
                                         {"xl/styles.xml", kStyles},
                                         {"xl/sharedStrings.xml", entities},
                                         {"xl/worksheets/sheet2.xml", "<worksheet/>"}}))
                  .refusal,
              HasSubstr("is damaged (xl/sharedStrings.xml)"));
}

TEST(Xlsx, OfAnotherKindIsRefusedWithWhatToDo) {
  EXPECT_THAT(Read(Zip("a.ods", {{"mimetype", "application/vnd.oasis.opendocument.spreadsheet"},
                                 {"content.xml", "<x/>"}}))
                  .refusal,
              HasSubstr(".ods); save it as .xlsx or CSV"));
  EXPECT_THAT(Read(Zip("a.xlsb", {{"xl/workbook.bin", "x"}})).refusal, HasSubstr(".xlsb"));
  EXPECT_THAT(Read(Zip("a.zip", {{"a.csv", "x"}})).refusal, HasSubstr("no .xlsx"));
  EXPECT_THAT(Read(Write("a.xls", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and more")).refusal,
              HasSubstr("take the password away"));
  EXPECT_THAT(Read(Write("a.pdf", "%PDF-1.4")).refusal, HasSubstr("PDF"));
  EXPECT_THAT(Read(PathOf("absent.csv")).refusal, HasSubstr("cannot be read"));
}

// Whatever is cut off or turned over, the reader comes to an end in order; what it reads of a file
// that was cut off it does not take for the whole.
TEST(Sheets, ThatAreBrokenAreReadOrRefused) {
  std::string rows;
  for (int i = 0; i < 200; ++i) {
    absl::StrAppend(&rows, "<row><c t=\"s\"><v>", i % 4, "</v></c><c s=\"1\"><v>", 44000 + i * i,
                    "</v></c></row>");
  }
  const std::string xlsx = BytesOf(Xlsx(rows));
  ASSERT_EQ(Read(Write("whole.xlsx", xlsx)).rows.size(), 200u);
  int refused = 0;
  for (size_t size = 4; size < xlsx.size(); size += xlsx.size() / 97) {
    const Known known = Read(Write("cut.xlsx", xlsx.substr(0, size)));
    EXPECT_NE(known.refusal, "") << size;
  }
  for (size_t at = 0; at < xlsx.size(); at += 3) {
    for (int turned : {0x01, 0x80, 0xff}) {
      std::string bytes = xlsx;
      bytes[at] = static_cast<char>(bytes[at] ^ turned);
      refused += Read(Write("turned.xlsx", bytes)).refusal.empty() ? 0 : 1;
    }
  }
  EXPECT_GT(refused, 100);
  const std::string csv = "a,\"b\"\r\n\"c\nd\",é\r\n";
  for (size_t size = 0; size < csv.size(); ++size) Read(Write("cut.csv", csv.substr(0, size)));
}

// ---- titles ----

struct Mapped {
  std::vector<Complaint> complaints;
  Row row;
  Mapping mapping;
  explicit Mapped(const std::vector<std::string>& titles,
                  const std::vector<Heading>& headings = MemberHeadings())
      : row{1, titles}, mapping("members.csv", row, headings, &complaints) {}
  std::string Of(const std::string& title) const {
    for (const Mapping::Line& line : mapping.lines()) {
      if (line.title == title) return line.heading;
    }
    return "no such column";
  }
  std::vector<std::string> Texts() const {
    std::vector<std::string> texts;
    for (const Complaint& complaint : complaints) texts.push_back(complaint.Text());
    return texts;
  }
};

TEST(Titles, AreMetInAnyOrderAndNearEnoughInSpelling) {
  const Mapped mapped({"DATE JOINED", "Sur-name", "  fore name", "e-mial", "Mobile No.", "Notes",
                       "Préferred format", "Postcode", ""});
  EXPECT_THAT(mapped.Texts(), IsEmpty());
  EXPECT_EQ(mapped.Of("DATE JOINED"), "Joined");
  EXPECT_EQ(mapped.Of("Sur-name"), "Last name");
  EXPECT_EQ(mapped.Of("  fore name"), "First name");
  EXPECT_EQ(mapped.Of("e-mial"), "E-mail");
  EXPECT_EQ(mapped.mapping.lines()[3].note, "near in spelling");
  EXPECT_EQ(mapped.Of("Mobile No."), "Phone");
  EXPECT_EQ(mapped.Of("Préferred format"), "Format");
  EXPECT_EQ(mapped.Of("Notes"), "");
  EXPECT_EQ(mapped.mapping.lines()[8].note, "has no title");
}

TEST(Titles, ThatAreDoubtfulAreNotGuessed) {
  EXPECT_THAT(Mapped({"First name", "Last name", "Joined", "Phone", "Mobile"}).Texts(),
              ElementsAre("members.csv:1: column 'Mobile': is read as 'Phone', and so is 'Phone'; "
                          "rename or delete one of the two"));
  EXPECT_THAT(Mapped({"Name", "Joined", "Surname", "Surname"}).Texts(),
              ElementsAre("members.csv:1: column 'Surname': is there twice; rename or delete one "
                          "of the two",
                          "members.csv:1: column 'First name': is missing; give its title to the "
                          "column that it is, should it be one of 'Name'"));
  const Mapped mapped({"Starter"}, {{"Started"}, {"Stater"}});
  EXPECT_EQ(mapped.Of("Starter"), "");
  EXPECT_THAT(mapped.mapping.lines()[0].note, HasSubstr("may be 'Started' or 'Stater'"));
  for (const char* other : {"Date of birth", "Child's first name", "School", "Username", "Lift"}) {
    EXPECT_EQ(Mapped({other}).Of(other), "") << other;
  }
}

// A title that is one heading's may never be another's.
TEST(Titles, OfTheHeadingsAreEachOneHeadings) {
  for (const auto* headings : {&MemberHeadings(), &RepHeadings()}) {
    std::set<std::string> names;
    for (const Heading& heading : *headings) {
      EXPECT_TRUE(names.insert(Folded(heading.title)).second) << heading.title;
      for (const std::string& other : heading.also) {
        EXPECT_TRUE(names.insert(Folded(other)).second) << other;
        EXPECT_EQ(Mapped({other}, *headings).Of(other), heading.title) << other;
      }
    }
  }
}

TEST(Titles, MayStandBelowWhatTheSheetIs) {
  std::vector<Complaint> complaints;
  auto reader =
      SheetReader::Open(Write("below.csv", "Parent carers\n\nSurname,Forename,Joined\na,b,c\n"));
  ASSERT_TRUE(reader.ok());
  const auto mapping = ReadTitles(reader->get(), "below.csv", MemberHeadings(), &complaints);
  EXPECT_THAT(complaints, IsEmpty());
  EXPECT_EQ(mapping->TitleOf("Last name"), "Surname");
  Row row;
  EXPECT_TRUE(*(*reader)->Next(&row));
  EXPECT_EQ(row.line, 4);
}

TEST(Titles, AreMissedByFileAndLine) {
  std::vector<Complaint> complaints;
  const Sheet sheet(Write("members.csv", "Key,First,Nmae\nM001,x,a,b\nM002\n"),
                    {{"Key", true}, {"First"}, {"Name", true}}, &complaints);
  std::vector<std::string> texts;
  for (const Complaint& complaint : complaints) texts.push_back(complaint.Text());
  EXPECT_THAT(texts, ElementsAre("members.csv:1: column 'Name': is missing; give its title to the "
                                 "column that it is, should it be one of 'Nmae'",
                                 "members.csv:2: has 'b' in column D, which has no title; is there "
                                 "a comma too many, or is a title missing?"));
  ASSERT_EQ(sheet.rows().size(), 2u);
  EXPECT_EQ(sheet.rows()[1]["Name"], "");
  complaints.clear();
  const Sheet empty(Write("members.csv", ""), {{"Key"}}, &complaints);
  EXPECT_THAT(empty.rows(), IsEmpty());
  ASSERT_EQ(complaints.size(), 1u);
  EXPECT_EQ(complaints[0].Text(), "members.csv:1: has no row of titles");
}

// ---- days ----

TEST(Days, AreReadAsPeopleHereWriteThem) {
  for (const char* day : {"03/12/2021", "3/12/21", "3.12.2021", "3-12-21", "2021-12-03",
                          "3 Dec 2021", "3-Dec-21", "3rd December 2021", "03/12/2021 00:00",
                          "2021-12-03T00:00:00", "2021-12-03 00:00:00.000"}) {
    EXPECT_EQ(ReadDay(day, 2026).value_or("none"), "2021-12-03") << day;
  }
  EXPECT_EQ(ReadDay("1 Sept 2021", 2026).value_or("none"), "2021-09-01");
  EXPECT_EQ(ReadDay("2nd August 2021", 2026).value_or("none"), "2021-08-02");
}

TEST(Days, OfTwoDigitYearsAreNotInTheFuture) {
  EXPECT_EQ(*ReadDay("1/2/26", 2026), "2026-02-01");
  EXPECT_EQ(*ReadDay("1/2/27", 2026), "1927-02-01");
  EXPECT_EQ(*ReadDay("1/2/00", 2026), "2000-02-01");
  EXPECT_EQ(*ReadDay("1/2/99", 2026), "1999-02-01");
}

TEST(Days, ThatAreNoneSayWhatToWrite) {
  EXPECT_THAT(MessageOf(ReadDay("12/31/2021", 2026).status()),
              HasSubstr("'12/31/2021' has 31 for its month; write the day before the month"));
  EXPECT_THAT(MessageOf(ReadDay("44533", 2026).status()), HasSubstr("format the column as a date"));
  EXPECT_THAT(MessageOf(ReadDay("31/02/2022", 2026).status()), HasSubstr("no day of the calendar"));
  for (const char* wrong : {"", "aa/bb/cccc", "3/12", "2021", "1/2/3/4", "3/12/021", "32/1/2021",
                            "0/1/2021", "3 Ma 2021", "2021-13-01", "3/12/2021 14:30", "03:12:2021",
                            "-3/12/2021", "+3/+12/2021", "Dec 2021", "123/12/2021"}) {
    EXPECT_FALSE(ReadDay(wrong, 2026).ok()) << wrong;
  }
}

// ---- writing ----

TEST(Written, SheetsAreReadAsTheyWere) {
  const Table table = {{"Key", "Joined", "Näme"},
                       {"=1+1", "03/12/2021", "Zoë \"Z\", <x> & y"},
                       {"'=quoted", "", "two\nlines"},
                       {"+44 7700 900123", "1/2/03", "00123"},
                       {"'plain", "01/01/1850", "@x"}};
  for (const char* file : {"written.csv", "written.xlsx"}) {
    auto writer = SheetWriter::Open(PathOf(file), table[0], {false, true, false});
    ASSERT_TRUE(writer.ok()) << writer.status();
    for (size_t i = 1; i < table.size(); ++i) ASSERT_TRUE((*writer)->Add(table[i]).ok());
    EXPECT_TRUE((*writer)->Close().ok());
    const Known known = Read(PathOf(file));
    EXPECT_EQ(known.refusal, "");
    EXPECT_EQ(known.rows, table) << file;
    EXPECT_EQ(fs::status(PathOf(file)).permissions(),
              fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_FALSE(fs::exists(PathOf(file) + ".partial"));
  }
  EXPECT_THAT(BytesOf(PathOf("written.csv")), HasSubstr("\"'=1+1\""));
  EXPECT_FALSE(SheetWriter::Open(PathOf("written.ods"), {"a"}, {}).ok());
  EXPECT_FALSE(SheetWriter::Open("/nowhere/written.csv", {"a"}, {}).ok());
}

TEST(Written, SheetsThatAreNotClosedLeaveWhatWasThere) {
  const std::string path = Write("kept.csv", "as it was");
  {
    auto writer = SheetWriter::Open(path, {"a"}, {});
    ASSERT_TRUE(writer.ok());
  }
  EXPECT_EQ(BytesOf(path), "as it was");
  EXPECT_FALSE(fs::exists(path + ".partial"));
}

}  // namespace
}  // namespace hub::ctl
