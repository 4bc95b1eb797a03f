// The program as built, run from outside.
#pragma once

#include <QtTest/QtTest>

namespace tests {

struct Run {
    int exitCode = -1;               ///< −2: it crashed
    QByteArray out, err;
    QJsonObject json() const { return QJsonDocument::fromJson(out).object(); }
    /// Every line of `out` as an object.
    QList<QJsonObject> lines() const
    {
        QList<QJsonObject> objects;
        for (const QByteArray &line : out.split('\n'))
            if (!line.isEmpty())
                objects.append(QJsonDocument::fromJson(line).object());
        return objects;
    }
};

inline Run run(const QStringList &arguments, int patience = 300'000)
{
    QProcess process;
    process.start(QStringLiteral(QUANTSCOPE_PROGRAM), arguments);
    Run result;
    if (!process.waitForFinished(patience))
        return result;
    result.exitCode = process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -2;
    result.out = process.readAllStandardOutput();
    result.err = process.readAllStandardError();
    return result;
}

inline QByteArray contents(const QString &file)
{
    QFile f(file);
    return f.open(QIODevice::ReadOnly) ? f.readAll() : QByteArray();
}

} // namespace tests
