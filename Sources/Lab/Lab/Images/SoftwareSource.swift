// What `lab install` is told: where software comes from, by its form.

import Compositions
import Glibc

/// Where software is installed from.
public enum SoftwareSource: Equatable, Sendable {
  /// A directory with a source tree.
  case tree(String)
  /// A tar file with a source tree.
  case tarball(String)
  /// A tar file that has to be fetched.
  case url(String)
  /// A git repository; the branch, tag or commit, or nil for what it shows by itself.
  case git(String, reference: String?)
  /// Files of Debian packages.
  case debs([String])
  /// Names of Debian packages.
  case packages([String])

  /// Reads the words of a command line. Relative paths begin in `directory`.
  public init(_ words: [String], in directory: String) throws {
    guard let first = words.first, !first.isEmpty else {
      throw LabError(
        "what is to be installed? A directory, a tar file, a URL, git+URL, .deb files, or packages")
    }
    func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : directory + "/" + path }
    if words.allSatisfy({ $0.hasSuffix(".deb") }) {
      self = .debs(words.map { Files.resolve(absolute($0)) ?? absolute($0) })
      return
    }
    if words.count == 1, let source = try Self.single(first, absolute(first)) {
      self = source
      return
    }
    try Packages.check(words)
    self = .packages(words)
  }

  private static func single(_ word: String, _ path: String) throws -> SoftwareSource? {
    if word.hasPrefix("git+") { return try git(String(word.dropFirst("git+".count))) }
    if word.hasPrefix("file://") { return .tarball(String(word.dropFirst("file://".count))) }
    if word.hasPrefix("http://") || word.hasPrefix("https://") { return .url(word) }
    if let real = Files.resolve(path) {
      if Files.isDirectory(real) { return .tree(real) }
      if Files.isFile(real) { return .tarball(real) }
    }
    guard !word.contains("/") else {
      throw LabError("\(word) can't be installed: there is no such file or directory")
    }
    return nil
  }

  /// `URL` or `URL@REFERENCE`; an @ before the last slash belongs to the URL.
  private static func git(_ text: String) throws -> SoftwareSource {
    let schemes = ["http://", "https://", "ssh://", "git://", "file:///"]
    guard schemes.contains(where: { text.hasPrefix($0) }) else {
      throw LabError(
        "git+\(text) can't be cloned; the URL begins with http, https, ssh, git or file and ://")
    }
    let slash = text.lastIndex(of: "/") ?? text.startIndex
    // References may have slashes themselves, so the first @ behind the host's part counts.
    let host = text.range(of: "://").map { $0.upperBound } ?? text.startIndex
    let path = text[host...].firstIndex(of: "/") ?? slash
    guard let at = text[path...].firstIndex(of: "@") else { return .git(text, reference: nil) }
    let reference = String(text[text.index(after: at)...])
    guard !reference.isEmpty, !reference.hasPrefix("-"), !reference.contains(where: \.isWhitespace)
    else { throw LabError("git+\(text): \"\(reference)\" can't be a branch, a tag or a commit") }
    return .git(String(text[..<at]), reference: reference)
  }

  /// What it is, for people, without the password that a URL may have.
  public var description: String {
    switch self {
    case .tree(let path), .tarball(let path): path
    case .url(let url): Self.open(url)
    case .git(let url, let reference):
      "git+" + Self.open(url) + (reference.map { "@" + $0 } ?? "")
    case .debs(let files): files.joined(separator: " ")
    case .packages(let names): names.joined(separator: " ")
    }
  }

  private static func open(_ url: String) -> String {
    guard let start = url.range(of: "://")?.upperBound else { return url }
    let end = url[start...].firstIndex(of: "/") ?? url.endIndex
    guard let at = url[start..<end].lastIndex(of: "@") else { return url }
    return url[..<start] + String(url[at...].dropFirst())
  }
}

extension StringProtocol {
  /// Where a text begins and ends in this one, or nil.
  fileprivate func range(of text: String) -> Range<Index>? {
    var place = startIndex
    while place < endIndex {
      if self[place...].hasPrefix(text) { return place..<index(place, offsetBy: text.count) }
      place = index(after: place)
    }
    return nil
  }
}
