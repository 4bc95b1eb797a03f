#include "app/gui.h"

#include "app/main_window.h"
#include "widgets/shared/app_style.h"

#include <QApplication>
#include <QCommandLineParser>
#include <QFileInfo>
#include <QIcon>

#include <cstring>

namespace app {
namespace {

/// QT_QPA_PLATFORM says nothing: tests set it where there is none.
bool hasDisplay()
{
    return qEnvironmentVariableIsSet("DISPLAY") || qEnvironmentVariableIsSet("WAYLAND_DISPLAY");
}

bool opensInTheWindow(const QString &name)
{
    return (name.endsWith(QStringLiteral(".onnx"), Qt::CaseInsensitive) || name.endsWith(QStringLiteral(".qsproj"), Qt::CaseInsensitive)) && QFileInfo::exists(name);
}

} // namespace

bool wantsWindow(int argc, char **argv)
{
    if (argc > 1 && std::strcmp(argv[1], "window") == 0)
        return true;
    return hasDisplay() && (argc == 1 || (argc == 2 && opensInTheWindow(QString::fromLocal8Bit(argv[1]))));
}

int runWindow(int argc, char **argv)
{
    QApplication application(argc, argv);
    QApplication::setOrganizationName(QStringLiteral("quantscope"));
    QApplication::setApplicationName(QStringLiteral("quantscope"));
    QApplication::setApplicationDisplayName(QStringLiteral("Quantscope"));
    QApplication::setApplicationVersion(QStringLiteral(QUANTSCOPE_VERSION));
    QApplication::setDesktopFileName(QStringLiteral("quantscope"));
    QApplication::setStyle(new widgets::AppStyle);
    QApplication::setWindowIcon(QIcon::fromTheme(QStringLiteral("quantscope")));
    QCommandLineParser parser;
    parser.setApplicationDescription(QStringLiteral("Opens the window. Without 'window' in front, quantscope is a command-line program: quantscope --help"));
    parser.addHelpOption();
    parser.addVersionOption();
    const QCommandLineOption sample(QStringLiteral("sample"), QStringLiteral("Open the bundled sample."));
    const QCommandLineOption fresh(QStringLiteral("new"), QStringLiteral("Do not ask about what a crash left."));
    const QCommandLineOption threads(QStringLiteral("threads"), QStringLiteral("Number of threads, 0 = all cores."), QStringLiteral("N"));
    parser.addOptions({sample, fresh, threads});
    parser.addPositionalArgument(QStringLiteral("FILE"), QStringLiteral("A model (.onnx) or a project (.qsproj)."));
    QStringList arguments = QApplication::arguments();
    if (arguments.size() > 1 && arguments[1] == QStringLiteral("window"))
        arguments.removeAt(1);
    parser.process(arguments);

    WindowOptions options;
    options.threads = parser.isSet(threads) ? parser.value(threads).toInt() : -1;
    MainWindow window(options);
    window.show();
    if (!parser.positionalArguments().isEmpty())
        window.open(parser.positionalArguments().constFirst());
    else if (parser.isSet(sample))
        window.openSample();
    if (!parser.isSet(fresh))
        window.offerRecovery();
    return QApplication::exec();
}

} // namespace app
