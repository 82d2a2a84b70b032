// Hosts that come and go while a lab runs: what the settings become, with which it is then started again.

import Compositions

extension LabSettings {
  /// These settings with further hosts in a role that scales, named by the lowest free numbers.
  public func adding(_ count: Int, to role: String) throws -> LabSettings {
    guard let place = composition.roles.firstIndex(where: { $0.name == role }) else {
      throw LabError("there is no role \(role); the roles are \(names(of: composition.roles))")
    }
    guard composition.roles[place].scales else {
      let others = composition.roles.filter(\.scales)
      throw LabError(
        "role \(role) has one host; \(others.isEmpty ? "no role scales" : names(of: others) + " can grow")"
      )
    }
    var settings = self
    var hosts = composition.roles[place].hosts
    var number = 1
    while hosts.count < composition.roles[place].hosts.count + count {
      if !hosts.contains("\(role)\(number)") { hosts.append("\(role)\(number)") }
      number += 1
    }
    settings.composition.roles[place].hosts = hosts
    return settings
  }

  /// These settings without some hosts of roles that scale.
  public func removing(_ hosts: [String]) throws -> LabSettings {
    var settings = self
    for host in hosts {
      guard let place = settings.composition.roles.firstIndex(where: { $0.hosts.contains(host) })
      else {
        throw LabError(
          "there is no host \(host); the hosts are \(composition.hosts.joined(separator: ", "))")
      }
      guard settings.composition.roles[place].scales else {
        throw LabError(
          "\(host) can't be removed: the lab needs it as its \(settings.composition.roles[place].name)"
        )
      }
      settings.composition.roles[place].hosts.removeAll { $0 == host }
    }
    return settings
  }

  private func names(of roles: [Role]) -> String { roles.map(\.name).joined(separator: ", ") }
}
