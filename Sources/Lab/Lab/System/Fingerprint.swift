// Short digests (FNV-1a) that tell names apart where nobody tries to make two alike; see Digest for others.

enum Fingerprint {
  /// Up to 8 hexadecimal digits.
  static func short(_ text: String) -> String {
    String(text.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }, radix: 16)
  }

  /// Up to 16 hexadecimal digits.
  static func long(_ text: String) -> String {
    let digest = text.utf8.reduce(UInt64(0xcbf2_9ce4_8422_2325)) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01b3
    }
    return String(digest, radix: 16)
  }
}
