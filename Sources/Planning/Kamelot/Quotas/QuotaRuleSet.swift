// The rules that hold at one time, and which of them are about a job.

/// A named set of rules.
public struct QuotaRuleSet: Sendable {
  /// `quotas`, or the name that the calendar uses.
  public let name: String
  public let rules: [QuotaRule]
  /// A tree of four levels: queue, project, type, user; below the last stand places in `rules`.
  private var nodes = [Node()]

  private struct Node: Sendable {
    var named: [String: Int] = [:]
    var each: Int?
    var all: Int?

    subscript(field: QuotaField) -> Int? {
      get {
        switch field {
        case .all: all
        case .each: each
        case .named(let name): named[name]
        }
      }
      set {
        switch field {
        case .all: all = newValue
        case .each: each = newValue
        case .named(let name): named[name] = newValue
        }
      }
    }
  }

  /// Of rules with the same fields the last holds.
  init(name: String, rules: [QuotaRule]) {
    self.name = name
    self.rules = rules
    for (index, rule) in rules.enumerated() {
      var node = 0
      for field in rule.fields.dropLast() {
        if let known = nodes[node][field] {
          node = known
        } else {
          nodes[node][field] = nodes.count
          node = nodes.count
          nodes.append(Node())
        }
      }
      nodes[node][rule.fields[3]] = index
    }
  }

  /// The rules whose every field fits a job, as places in `rules`. The first is the one that limits
  /// the job: fields are compared from left to right, and in each the job's own name stands before
  /// `/`, and that before `*`. The names of several types stand in the order of the job's types.
  func matches(queue: String, project: String, types: [String], user: String) -> [Int] {
    let names = [[queue], [project], types, [user]]
    var found: [Int] = []
    func walk(_ node: Int, _ level: Int) {
      func descend(_ next: Int?) {
        guard let next else { return }
        if level == 3 { found.append(next) } else { walk(next, level + 1) }
      }
      for name in names[level] { descend(nodes[node].named[name]) }
      descend(nodes[node].each)
      descend(nodes[node].all)
    }
    walk(0, 0)
    return found
  }
}
