#include "common/privacy/seal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>

#include <set>

#include "absl/strings/escaping.h"
#include "common/base/id.h"

namespace hub::privacy {
namespace {

std::string Bytes(const char* hex) { return absl::HexStringToBytes(hex); }

const std::string kKey(kKeyBytes, 'k');

TEST(Seal, OpensWhereItWasSealed) {
  for (size_t size : {0, 1, 15, 16, 17, 1024, 1 << 20}) {
    std::string plain = RandomBytes(size);
    std::string sealed = Seal(kKey, plain, "bank_details/m1/body");
    EXPECT_EQ(sealed.size(), size + 28);
    auto opened = Open(kKey, sealed, "bank_details/m1/body");
    ASSERT_TRUE(opened.ok()) << size;
    EXPECT_EQ(*opened, plain);
  }
}

TEST(Seal, TheSameTextNeverLooksTheSame) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(seen.insert(Seal(kKey, "yes", "")).second);
}

TEST(Seal, AnyChangedByteIsNoticed) {
  std::string sealed = Seal(kKey, "a plan agreed on 3 December", "here");
  for (size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    auto opened = Open(kKey, changed, "here");
    ASSERT_FALSE(opened.ok()) << i;
    EXPECT_EQ(ReasonOf(opened.status()), errors::INTERNAL_FAULT);
    EXPECT_EQ(ERR_peek_error(), 0u) << "an error is left for TLS to stumble over";
  }
}

TEST(Seal, AnyCutOrAddedByteIsNoticed) {
  std::string sealed = Seal(kKey, "a plan", "here");
  for (size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(Open(kKey, sealed.substr(0, size), "here").ok()) << size;
  }
  EXPECT_FALSE(Open(kKey, sealed + '\0', "here").ok());
}

TEST(Seal, AnotherPlaceOrKeyDoesNotOpen) {
  std::string sealed = Seal(kKey, "sort code", "bank_details/m1/body");
  EXPECT_FALSE(Open(kKey, sealed, "bank_details/m2/body").ok());
  EXPECT_FALSE(Open(kKey, sealed, "").ok());
  EXPECT_FALSE(Open(std::string(kKeyBytes, 'l'), sealed, "bank_details/m1/body").ok());
}

TEST(SealDeathTest, AKeyOfAnotherLengthIsAFaultOfTheCaller) {
  EXPECT_DEATH(Seal("short", "text", ""), "");
  EXPECT_DEATH(Open("short", std::string(40, 'x'), "").IgnoreError(), "");
}

// Test case 16 of McGrew and Viega, 'The Galois/Counter Mode of Operation'.
TEST(Seal, OpensAKnownAnswer) {
  auto opened = Open(Bytes("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"),
                     Bytes("cafebabefacedbaddecaf888"
                           "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
                           "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
                           "76fc6ece0f4e1768cddf8853bb2d551b"),
                     Bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2"));
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(Hex(*opened),
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
            "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
}

// RFC 4231, test cases 1, 2, 3 and 6 (a key longer than a block).
TEST(Hmac, KnownAnswers) {
  EXPECT_EQ(Hex(Hmac(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(Hex(Hmac("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(Hex(Hmac(std::string(20, '\xaa'), std::string(50, '\xdd'))),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  EXPECT_EQ(
      Hex(Hmac(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Hmac, AnEmptyKeyIsAKey) {
  EXPECT_EQ(Hex(Hmac("", "")), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

// FIPS 180-2, appendix B.1.
TEST(Sha256, KnownAnswer) {
  EXPECT_EQ(Hex(Sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(SameBytes, ComparesLengthAndContent) {
  EXPECT_TRUE(SameBytes("", ""));
  EXPECT_TRUE(SameBytes("abc", "abc"));
  EXPECT_FALSE(SameBytes("abc", "abd"));
  EXPECT_FALSE(SameBytes("abc", "abcd"));
}

}  // namespace
}  // namespace hub::privacy
