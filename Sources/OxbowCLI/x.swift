import Oxbow
@main struct Main { static func main() {} }
