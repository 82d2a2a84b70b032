// An address such as https://host:6443/prefix, taken apart.

struct URLParts: Equatable {
  var scheme: String
  /// As written; an IPv6 address stands in brackets.
  var host: String
  var port: Int
  /// With its slash at the beginning, or empty.
  var path: String

  /// nil if it is no address of this kind, or holds blanks, a user, a query or a fragment.
  init?(_ text: String) {
    guard let colon = text.range(of: "://") else { return nil }
    scheme = text[..<colon.lowerBound].lowercased()
    guard scheme == "https" || scheme == "http" else { return nil }
    let rest = text[colon.upperBound...]
    let ends = rest.firstIndex(of: "/") ?? rest.endIndex
    path = String(rest[ends...])
    let forbidden = Set("@?#\\\"<>{}|^`")
    guard rest.allSatisfy({ $0.isASCII && !$0.isWhitespace && !forbidden.contains($0) }) else {
      return nil
    }
    var place = rest[..<ends]
    let standard = scheme == "https" ? 443 : 80
    let bracket = place.lastIndex(of: "]")
    if let mark = place.lastIndex(of: ":"), bracket.map({ $0 < mark }) ?? true {
      guard let number = Int(place[place.index(after: mark)...]), (1...65_535).contains(number)
      else { return nil }
      port = number
      place = place[..<mark]
    } else {
      port = standard
    }
    host = String(place)
    guard !host.isEmpty else { return nil }
  }
}

extension StringProtocol {
  fileprivate func range(of needle: String) -> Range<Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(needle) {
        return start..<index(start, offsetBy: needle.count)
      }
      start = index(after: start)
    }
    return nil
  }
}
