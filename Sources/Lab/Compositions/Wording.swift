// How messages list words, and what somebody may have meant.

import Documents

/// `a, b or c`.
func alternatives(_ words: [String]) -> String {
  guard let last = words.last, words.count > 1 else { return words.first ?? "none" }
  return words.dropLast().joined(separator: ", ") + " or " + last
}

/// The one of some words that somebody meant who wrote another, or nil if none is near.
func nearest(to word: String, of words: [String]) -> String? {
  let farthest = max(1, word.count / 3)
  guard word.count <= 64 else { return nil }
  return words.map { ($0, distance(word.lowercased(), $0.lowercased())) }
    .filter { $0.1 <= farthest }
    .min { $0.1 < $1.1 }?.0
}

/// `; did you mean "x"?`, or nothing.
func hint(for word: String, of words: [String]) -> String {
  nearest(to: word, of: words).map { "; did you mean \(quoted($0))?" } ?? ""
}

/// How many letters must be added, left out, changed or swapped with the next.
private func distance(_ one: String, _ other: String) -> Int {
  let (a, b) = (Array(one), Array(other))
  var rows = [Array(0...b.count)]
  for i in a.indices {
    var row = [i + 1]
    for j in b.indices {
      let cost = a[i] == b[j] ? 0 : 1
      var best = min(rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + cost)
      if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
        best = min(best, rows[i - 1][j - 1] + 1)
      }
      row.append(best)
    }
    rows.append(row)
  }
  return rows[a.count][b.count]
}
