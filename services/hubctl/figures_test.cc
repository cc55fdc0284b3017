// The page of figures: what is printed now, charts that are read aloud as well as seen, and tables.
#include "services/hubctl/figures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hub::ctl {
namespace {

namespace v1 = ::coproduction::membership::v1;
using ::testing::HasSubstr;
using ::testing::Not;
using v1::Publication;

Publication Disabled(const std::string& date, int64_t members, int64_t figure, int64_t base,
                     const std::string& percent) {
  Publication publication;
  publication.set_question(Publication::DISABILITY);
  publication.set_date(date);
  publication.set_members(members);
  publication.set_base(base);
  publication.set_text(date + " in words.");
  auto* one = publication.add_figures();
  one->set_answer(v1::YES);
  one->set_words("are <disabled>");
  one->set_figure(figure);
  one->set_percent(percent);
  return publication;
}

TEST(FiguresPage, SaysDrawsAndLists) {
  v1::ListPublicationsResponse all;
  all.set_latest_date("2022-07-01");
  *all.add_publications() = Disabled("2022-07-01", 254, 60, 255, "24%");
  *all.add_publications() = Disabled("2022-04-01", 200, 0, 200, "");
  const std::string page = FiguresPage(all, "forums/warwickshire");
  for (const char* part : {
           "<html lang=\"en-GB\">",
           "Members on 1 July 2022: 254.",
           "2022-07-01 in words.</p>",
           "<svg role=\"img\" aria-labelledby=\"q1-4-title q1-4-text\"",
           "<title id=\"q1-4-title\">Of those who answered, how many are &lt;disabled&gt;</title>",
           "<desc id=\"q1-4-text\">1 April 2022: fewer than 8 of about 200. 1 July 2022: about 60",
           " of about 255, 24%. </desc>",
           "<tr><th>Date</th><th>Figure</th>",
           "<tr><td>1 July 2022</td><td>about 60</td><td>about 255</td><td>24%</td></tr>",
           "width=\"120\" height=\"22\" fill=\"#1d4e89\"",  // 60 of 255 of 510
           "only when at least 10 people",
       }) {
    EXPECT_THAT(page, HasSubstr(part));
  }
  EXPECT_THAT(page, Not(HasSubstr("No update")));
  EXPECT_THAT(page, Not(HasSubstr("<disabled>")));
}

TEST(FiguresPage, HasATableOfTwoQuestions) {
  v1::ListPublicationsResponse all;
  all.set_latest_date("2022-07-01");
  auto* two = all.add_publications();
  two->set_question(Publication::DISABILITY_BY_GENDER);
  two->set_date("2022-07-01");
  two->set_base(31300);
  auto add = [&](v1::Answer answer, v1::Answer also, const char* words, int64_t figure,
                 const char* percent) {
    auto* one = two->add_figures();
    one->set_answer(answer);
    one->set_also(also);
    one->set_words(words);
    one->set_figure(figure);
    one->set_percent(percent);
  };
  add(v1::YES, {}, "are disabled", 9000, "28.8%");
  add(v1::YES, v1::MALE, "are disabled and are men", 400, "1.3%");
  add(v1::YES, v1::NON_BINARY, "are disabled and are non-binary", 0, "");
  add({}, v1::MALE, "are men", 1400, "4.5%");
  add({}, v1::NON_BINARY, "are non-binary", 100, "0.3%");
  const std::string page = FiguresPage(all, "forums/national");
  EXPECT_THAT(
      page, HasSubstr("<caption>1 July 2022</caption>\n"
                      "<tr><th scope=\"col\"></th><th scope=\"col\">are disabled</th>"
                      "<th scope=\"col\">all who answered both</th></tr>\n"
                      "<tr><th scope=\"row\">are men</th><td>about 400 (1.3%)</td>"
                      "<td>about 1400 (4.5%)</td></tr>\n"
                      "<tr><th scope=\"row\">are non-binary</th><td>fewer than 75</td>"
                      "<td>about 100 (0.3%)</td></tr>\n"
                      "<tr><th scope=\"row\">all who answered both</th><td>about 9000 (28.8%)</td>"
                      "<td>about 31300</td></tr>\n"
                      "</table>"));
  for (const char* part :
       {"<h2>Disability by gender</h2>", "aria-labelledby=\"q8-4-11-title q8-4-11-text\"",
        "<desc id=\"q8-4-11-text\">1 July 2022: about 400 of about 31300, 1.3%. </desc>",
        "aria-labelledby=\"q8-0-11-title q8-0-11-text\"", "id=\"q8-4-title\""}) {
    EXPECT_THAT(page, HasSubstr(part));
  }
}

TEST(FiguresPage, SaysWhatHadNoUpdate) {
  v1::ListPublicationsResponse all;
  all.set_latest_date("2022-07-01");
  *all.add_publications() = Disabled("2022-04-01", 200, 60, 200, "30%");
  EXPECT_THAT(FiguresPage(all, "forums/warwickshire"),
              HasSubstr("No update this quarter (last: 1 April 2022)."));
  all.clear_publications();
  EXPECT_THAT(FiguresPage(all, "forums/warwickshire"), HasSubstr("Too few people have answered"));
}

TEST(FiguresPage, OfAllForumsHasItsOwnMeasure) {
  v1::ListPublicationsResponse all;
  all.set_latest_date("2022-07-01");
  *all.add_publications() = Disabled("2022-07-01", 40000, 0, 31300, "");
  const std::string page = FiguresPage(all, "forums/national");
  EXPECT_THAT(page, HasSubstr("fewer than 75"));
  EXPECT_THAT(page, HasSubstr("at least 10 forums have new ones"));
}

}  // namespace
}  // namespace hub::ctl
