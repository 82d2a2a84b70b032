// Which resources planning takes first (SCHEDULER_RESOURCE_ORDER).

import ClusterModel

/// The order in which resources are preferred, as the ORDER BY of an SQL query.
public struct ResourceOrder: Sendable {
  /// OAR 2's order.
  public static let standard = """
    scheduler_priority ASC, state_num ASC, available_upto DESC, suspended_jobs ASC, \
    network_address ASC, resource_id ASC
    """

  private let keys: [(column: ResourceColumn, ascending: Bool)]

  /// Reads columns with ASC or DESC, separated by commas.
  ///
  /// - Parameter variable: the name of the variable, for errors.
  public init(
    _ text: String, variable: String = "SCHEDULER_RESOURCE_ORDER"
  ) throws(ConfigurationError) {
    var keys: [(column: ResourceColumn, ascending: Bool)] = []
    for part in text.split(separator: ",") {
      let words = part.split(whereSeparator: \.isWhitespace).map(String.init)
      let direction = words.count > 1 ? words[1].uppercased() : "ASC"
      guard (1...2).contains(words.count), direction == "ASC" || direction == "DESC" else {
        throw ConfigurationError(
          name: variable, value: text, allowed: "columns with ASC or DESC, separated by commas")
      }
      keys.append((ResourceColumn(words[0].lowercased()), direction == "ASC"))
    }
    self.keys = keys
  }

  /// The order for new reservations; `nil` if a site has none of its own for them.
  public static func ofReservations(
    _ configuration: Configuration
  ) throws(ConfigurationError) -> ResourceOrder? {
    let variable = "SCHEDULER_RESOURCE_ORDER_ADV_RESERVATIONS"
    guard let text = configuration[variable], !text.isEmpty else { return nil }
    return try ResourceOrder(text, variable: variable)
  }

  /// The resources in this order; by id where it says nothing.
  public func sorted(_ resources: some Collection<Resource>) -> [Resource] {
    resources.sorted { first, second in
      for key in keys {
        let left = first.value(of: key.column) ?? .null
        let right = second.value(of: key.column) ?? .null
        if left != right { return Self.less(left, right) == key.ascending }
      }
      return first.id < second.id
    }
  }

  private static func less(_ left: PropertyValue, _ right: PropertyValue) -> Bool {
    switch (left, right) {
    case (.integer(let left), .integer(let right)): left < right
    case (.text(let left), .text(let right)): left < right
    case (.null, _): true
    case (.integer, .text): true
    default: false
    }
  }
}
