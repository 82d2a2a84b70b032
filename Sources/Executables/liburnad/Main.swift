// The server's program, which also looks at the database for `liburna doctor`, asks Kubernetes for `bebida install` and
// plays for `bebida simulate`, and by the name of bebidad lends the nodes of another batch system.

import Controller
import LendingServer
import LendingSimulation
import SiteCheck

@main
enum Main {
  static func main() {
    let words = CommandLine.arguments.dropFirst()
    if InstallProgram.isCall(words) { InstallProgram.main(words) }
    if SimulationProgram.isCall(words) { SimulationProgram.main(words) }
    if CommandLine.arguments.first.map({ $0.hasSuffix("bebidad") }) == true {
      return BebidaProgram.main()
    }
    if SiteDoctor.isCall(words) { SiteDoctor.main(words) }
    Server.main()
  }
}
